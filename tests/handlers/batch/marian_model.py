"""A tiny MarianMT model with random weights, made here: nothing is downloaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import ctranslate2
import numpy
import sentencepiece
from ctranslate2.specs import TransformerSpec, common_spec

_WIDTH = 16
_SENTENCES = ["the quick brown fox jumps over the lazy dog", "a good company pays its people", "we translate documents"]


def make_model(folder: Path) -> None:
    """Write a model as the converter of CTranslate2 does for MarianMT."""
    random = numpy.random.default_rng(7)
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES * 20),
        model_writer=pieces,
        vocab_size=60,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces.getvalue())
    tokens = ["</s>", "<unk>", *(processor.id_to_piece(number) for number in range(3, processor.get_piece_size()))]
    spec = TransformerSpec.from_config(1, 2, pre_norm=False, activation=common_spec.Activation.SWISH)
    spec.decoder.start_from_zero_embedding = True
    _fill(spec, len(tokens), random)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    config: Any = spec.config
    config.eos_token = "</s>"
    config.unk_token = "<unk>"
    config.decoder_start_token = "</s>"
    config.add_source_eos = False
    spec.validate()
    spec.save(str(folder))
    assert ctranslate2.contains_model(str(folder))


def _fill(spec: Any, tokens: int, random: Any) -> None:
    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.3).astype(numpy.float32)

    def linear(layer: Any, rows: int, columns: int = _WIDTH) -> None:
        layer.weight, layer.bias = weights(rows, columns), weights(rows)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = numpy.ones(_WIDTH, numpy.float32), numpy.zeros(_WIDTH, numpy.float32)

    def attention(layer: Any, is_self: bool) -> None:
        sizes = (3 * _WIDTH, _WIDTH) if is_self else (_WIDTH, 2 * _WIDTH, _WIDTH)
        for part, rows in zip(layer.linear, sizes, strict=True):
            linear(part, rows)
        norm(layer.layer_norm)

    def feed_forward(layer: Any) -> None:
        linear(layer.linear_0, 2 * _WIDTH)
        linear(layer.linear_1, _WIDTH, 2 * _WIDTH)
        norm(layer.layer_norm)

    spec.encoder.embeddings[0].weight = weights(tokens, _WIDTH)
    spec.decoder.embeddings.weight = weights(tokens, _WIDTH)
    spec.encoder.position_encodings.encodings = weights(512, _WIDTH)
    spec.decoder.position_encodings.encodings = weights(512, _WIDTH)
    linear(spec.decoder.projection, tokens)
    spec.decoder.projection.bias[0] += 1  # so that sentences end now and then
    spec.encoder.num_heads = numpy.int16(2)
    for layer in spec.encoder.layer:
        attention(layer.self_attention, is_self=True)
        feed_forward(layer.ffn)
    for layer in spec.decoder.layer:
        attention(layer.self_attention, is_self=True)
        attention(layer.attention, is_self=False)
        feed_forward(layer.ffn)

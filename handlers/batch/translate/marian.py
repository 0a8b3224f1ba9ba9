"""Translation by a MarianMT model on the instance, with CTranslate2 and sentencepiece.

The model's folder is what `ct2-transformers-converter --copy_files source.spm target.spm` writes for a model such as
Helsinki-NLP/opus-mt-en-de: `model.bin`, `config.json`, its vocabulary, `source.spm` and `target.spm`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from handlers.batch.budget import Budget
from handlers.batch.errors import JobError
from handlers.batch.sentences import split_sentences

FILES = ("model.bin", "config.json", "source.spm", "target.spm")
_END = "</s>"
# How sentencepiece marks the beginning of a word.
_WORD_START = "\u2581"
# The models were trained on at most 512 tokens, and translate badly long before that.
_MAX_TOKENS = 250
# Tokens that are translated at the same time; sentences of like length are put together by CTranslate2.
_BATCH_TOKENS = 4096
# Sentences that are given to CTranslate2 in one call, after which the time limit is looked at.
_CALL_SENTENCES = 512
_BEAM = 4
# No translation is so much longer than its sentence.
_GROWTH = 3
_SHORTEST_LIMIT = 10
_THREADS_OF_ONE = 4


class MarianEngine:
    """Translates with the model of a folder, loaded once.

    Parameters
    ----------
    folder
        Of the model.

    Raises
    ------
    JobError
        A file is missing or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise JobError(f"The model lacks {', '.join(missing)}: expected a CTranslate2 model with sentencepiece.")
        import ctranslate2
        import sentencepiece

        processors = os.cpu_count() or 1
        try:
            self._translator = ctranslate2.Translator(
                str(folder),
                device="cpu",
                inter_threads=max(processors // _THREADS_OF_ONE, 1),
                intra_threads=min(processors, _THREADS_OF_ONE),
            )
            self._source = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
            self._target = sentencepiece.SentencePieceProcessor(model_file=str(folder / "target.spm"))
        except (RuntimeError, ValueError, OSError) as error:
            raise JobError(f"The model cannot be loaded: {error}") from error

    def translate(self, texts: Sequence[str], source: str, budget: Budget) -> list[str]:
        """Translate texts; the sentences of all of them go through the model together."""
        owners: list[int] = []
        tokens: list[list[str]] = []
        for number, text in enumerate(texts):
            for sentence in split_sentences(text, source):
                for part in _parts(self._source.encode(sentence.strip(), out_type=str)):
                    owners.append(number)
                    tokens.append([*part, _END])
        sentences: list[list[str]] = [[] for _ in texts]
        for start in range(0, len(tokens), _CALL_SENTENCES):
            budget.check()
            end = start + _CALL_SENTENCES
            for owner, translated in zip(owners[start:end], self._batch(tokens[start:end]), strict=True):
                sentences[owner].append(translated)
        return [" ".join(filter(None, translated)) or text for translated, text in zip(sentences, texts, strict=True)]

    def close(self) -> None:
        """Free the model's memory."""
        self._translator.unload_model()

    def _batch(self, tokens: list[list[str]]) -> list[str]:
        results = self._translator.translate_batch(
            tokens,
            max_batch_size=_BATCH_TOKENS,
            batch_type="tokens",
            beam_size=_BEAM,
            # A model that has lost its way repeats itself until it is stopped.
            max_decoding_length=_GROWTH * max(map(len, tokens)) + _SHORTEST_LIMIT,
        )
        return [self._target.decode(result.hypotheses[0]).strip() for result in results]


def _parts(tokens: list[str]) -> Iterator[list[str]]:
    """Cut a sentence that is too long for the model, before a word."""
    start = 0
    while len(tokens) - start > _MAX_TOKENS:
        end = start + _MAX_TOKENS
        word = next((place for place in range(end, start, -1) if tokens[place].startswith(_WORD_START)), end)
        yield tokens[start:word]
        start = word
    if start < len(tokens):
        yield tokens[start:]

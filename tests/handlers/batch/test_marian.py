"""The model engine, with a generated model."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.batch.errors import DocumentError, JobError
from handlers.batch.translate import marian
from handlers.batch.translate.marian import MarianEngine
from tests.handlers.batch.conftest import Run
from tests.handlers.batch.fake_aws import FakeAws
from tests.handlers.batch.marian_model import make_model
from tests.handlers.batch.support import budget


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return folder


@pytest.fixture
def engine(model: Path) -> MarianEngine:
    return MarianEngine(model)


def test_texts_are_translated_each_by_its_sentences(engine: MarianEngine) -> None:
    texts = ["The quick fox. A good dog jumps.", "we translate documents", "The quick fox."]
    together = engine.translate(texts, "en", budget())
    assert len(together) == 3
    assert all(together)
    assert together[0].startswith(together[2] + " ")
    assert engine.translate(texts, "en", budget()) == together


def test_sentences_of_many_texts_go_through_the_model_together(
    engine: MarianEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(engine, "_batch", lambda tokens: sizes.append(len(tokens)) or ["x"] * len(tokens))
    engine.translate(["A dog. A fox."] * 300, "en", budget())
    assert sizes == [512, 88]


def test_a_sentence_without_end_is_cut(engine: MarianEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    monkeypatch.setattr(engine, "_batch", lambda tokens: lengths.extend(map(len, tokens)) or ["x"] * len(tokens))
    [translated] = engine.translate(["the quick brown fox " * 200], "en", budget())
    assert max(lengths) <= marian._MAX_TOKENS + 1
    assert translated == " ".join("x" * len(lengths))
    assert len(lengths) > 3


def test_cuts_lose_no_token() -> None:
    words = [token for number in range(400) for token in (f"\u2581w{number}", "en", "d")]
    parts = list(marian._parts(words))
    assert [token for part in parts for token in part] == words
    assert all(part[0].startswith("\u2581") for part in parts)
    assert [len(part) for part in marian._parts(["x"] * 600)] == [250, 250, 100]


def test_the_time_limit_counts(engine: MarianEngine) -> None:
    with pytest.raises(DocumentError, match="time limit"):
        engine.translate(["A dog."], "en", budget(1e-9))


def test_a_model_that_is_none(tmp_path: Path, model: Path) -> None:
    with pytest.raises(JobError, match=r"lacks model\.bin, config\.json, source\.spm, target\.spm"):
        MarianEngine(tmp_path)
    for name in marian.FILES:
        (tmp_path / name).write_bytes((model / name).read_bytes()[:10])
    with pytest.raises(JobError, match="cannot be loaded"):
        MarianEngine(tmp_path)


def test_a_job_with_a_model_needs_nothing_of_aws(run_container: Run, model: Path, aws: FakeAws) -> None:
    inputs = {f"model/{path.name}": path.read_bytes() for path in model.iterdir()}
    inputs["documents/a.md"] = b"# The quick fox\n\n- a good **company** pays\n"
    options = {"source": "en", "target": "de", "engine": "marian"}
    nothing = dict.fromkeys(("AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    done = run_container("translate", options, inputs, **nothing)
    assert done.code == 0, done.logs
    assert (done.output / "documents/a.de.md").read_bytes().startswith(b"# ")
    assert done.report["estimated_cost"]["amount"] == 0
    assert not aws.calls

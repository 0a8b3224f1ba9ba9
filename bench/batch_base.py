"""The batch program against that of another commit, in the same run."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.batch_jobs import OPTIONS, make_documents
from bench.batch_program import ProgramRun, extract_commit, run_program
from bench.report import Row, Section, at_least, seconds, times
from local.aws.embedded_aws import EmbeddedAws
from local.deploy.deployer import ROOT

MIN_THROUGHPUT = 0.8
TURNS = 3
# What one call takes, as the embedded AWS imitates it.
COMPREHEND_SECONDS = 0.05
TRANSLATE_SECONDS = 0.1


def measure_base(say: Callable[[str], None], commit: str, documents: int) -> Section:
    """Compare the throughput of this program with that of an earlier commit.

    Parameters
    ----------
    say
        Called with a description of each step.
    commit
        Commit that this is compared with.
    documents
        Documents of a job.
    """
    section = Section(
        f"Batch program against {commit}", f"the batch program of commit {commit}, in turns with this one."
    )
    with EmbeddedAws() as aws, TemporaryDirectory() as folder:
        base = extract_commit(commit, Path(folder))
        aws.control.set_latency("comprehend", COMPREHEND_SECONDS)
        aws.control.set_latency("translate", TRANSLATE_SECONDS)
        for kind in OPTIONS:
            for mixture, made in _mixtures(documents).items():
                section.rows += _compare(say, aws, base, kind, mixture, made)
    section.notes.append(
        f"Amazon Translate takes {TRANSLATE_SECONDS * 1000:.0f} ms a call, Amazon Comprehend "
        f"{COMPREHEND_SECONDS * 1000:.0f} ms. Medians of {TURNS} turns, in each of which both programs run once, one "
        "after the other. Times are those of the whole program, its start included."
    )
    return section


def _compare(
    say: Callable[[str], None], aws: EmbeddedAws, base: Path, kind: str, mixture: str, documents: Mapping[str, bytes]
) -> list[Row]:
    ours: list[ProgramRun] = []
    theirs: list[ProgramRun] = []
    for turn in range(TURNS):
        say(f"{kind}, {mixture}: turn {turn + 1}")
        pair = ((ours, ROOT), (theirs, base))
        for runs, root in pair if turn % 2 else reversed(pair):
            runs.append(run_program(aws, root, kind, documents))
    ratio = statistics.median(one.seconds for one in theirs) / statistics.median(one.seconds for one in ours)
    used, base_used = (statistics.median(one.processor_seconds for one in runs) for runs in (ours, theirs))
    rate, base_rate = (statistics.median(one.documents_per_second for one in runs) for runs in (ours, theirs))
    return [
        Row(
            f"{kind}, {mixture}, documents per second",
            f"{rate:.1f}",
            f"{base_rate:.1f}",
            f"{times(ratio)} as many",
            at_least(ratio, MIN_THROUGHPUT, "at least {}x"),
        ),
        Row(
            f"{kind}, {mixture}, processor time",
            seconds(used),
            seconds(base_used),
            f"{times(used / base_used)} as much",
        ),
    ]


def _mixtures(count: int) -> dict[str, Mapping[str, bytes]]:
    texts = make_documents(count)
    return {
        f"{count:,} text documents": {name: text.encode() for name, text in texts.items()},
        f"{count:,} Markdown documents and Word documents": {
            (f"{name}.docx" if number % 2 else f"{name}.md"): _word(text) if number % 2 else _markdown(name, text)
            for number, (name, text) in enumerate(texts.items())
        },
    }


def _markdown(name: str, text: str) -> bytes:
    parts = [f"- A *{word}* point, see [the site](https://example.com/{name})" for word in ("first", "second", "third")]
    return "\n\n".join([f"# Report {name}", text, "\n".join(parts)]).encode()


def _word(text: str) -> bytes:
    import docx

    document = docx.Document()
    for paragraph in text.split("\n\n"):
        document.add_paragraph(paragraph)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()

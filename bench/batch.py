"""Throughput and memory of batch jobs, against a program that does one thing after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.batch_jobs import OPTIONS, PARAGRAPHS, JobRun, Naive, Product, make_documents, make_file
from bench.batch_program import ProgramRun, run_program
from bench.contest import slowdown
from bench.report import Row, Section, at_least, at_most, seconds, times
from local.aws.embedded_aws import EmbeddedAws
from local.deploy.deployer import ROOT
from local.deploy.stack import deploy_to

# What one call takes, as the embedded AWS imitates it.
COMPREHEND_SECONDS = 0.05
TRANSLATE_SECONDS = 0.1
INSTANCES = 4
MIN_SPEEDUP = {"translate": 15, "analyse": 25}
MIN_SCALING = {"translate": 2, "analyse": 1.5}
MAX_REQUESTS = {"translate": 1, "analyse": 0.15}
SMALL_MEGABYTES = 2
# How much more memory a large file may need than a small one.
MAX_MEMORY = 1.3

BASELINE = (
    "a naive program as a processing job of the same embedded SageMaker: one document after another, of each one "
    "paragraph after another, for each one TranslateText, or DetectDominantLanguage, DetectSentiment and "
    "DetectKeyPhrases."
)
_LATENCIES = (
    f"Amazon Translate takes {TRANSLATE_SECONDS * 1000:.0f} ms a call, Amazon Comprehend "
    f"{COMPREHEND_SECONDS * 1000:.0f} ms. Times are from the start of the program to the end of the upload of its "
    f"results; those of {INSTANCES} instances include the job that puts their results together, and none includes the "
    "start of machines, which on AWS takes minutes."
)
_APART = (
    f"On machines of their own: what one instance takes for a share of 1/{INSTANCES} of the documents, and the job "
    f"that puts together the results of all. On this machine: {INSTANCES} programs at the same time, which share its "
    "processors with the embedded AWS."
)


@dataclass(frozen=True)
class BatchSizes:
    """Sizes that are measured.

    Attributes
    ----------
    documents
        Of jobs, by kind; a multiple of the number of instances.
    baseline
        Documents of the baseline's jobs.
    megabytes
        Of the large file, by kind.
    """

    documents: dict[str, int]
    baseline: int
    megabytes: dict[str, int]


BATCH_SIZES = BatchSizes({"translate": 1200, "analyse": 2400}, 20, {"translate": 200, "analyse": 20})
FULL_BATCH_SIZES = BatchSizes({"translate": 1200, "analyse": 2400}, 100, {"translate": 200, "analyse": 200})
QUICK_BATCH_SIZES = BatchSizes({"translate": 400, "analyse": 800}, 10, {"translate": 10, "analyse": 10})


def measure_batch(say: Callable[[str], None], sizes: BatchSizes) -> Iterator[Section]:
    """Measure throughput, then memory."""
    yield _measure_throughput(say, sizes)
    yield _measure_memory(say, sizes)


def _measure_throughput(say: Callable[[str], None], sizes: BatchSizes) -> Section:
    section = Section("Batch jobs, documents of six paragraphs", BASELINE)
    slowdowns = [slowdown()]
    with _latencies(say) as aws:
        product, shared = Product(deploy_to(aws)), Product(deploy_to(aws, {"jobs": {"instance_count": INSTANCES}}))
        naive = Naive(aws)
        for kind in OPTIONS:
            count = sizes.documents[kind]
            say(f"{kind}: warming up")
            product.run(kind, make_documents(INSTANCES))
            say(f"{kind}: baseline, {sizes.baseline} documents")
            baseline = naive.run(kind, make_documents(sizes.baseline))
            say(f"{kind}: one instance, {count:,} documents")
            alone = product.run(kind, make_documents(count))
            say(f"{kind}: {INSTANCES} instances, {count:,} documents")
            together = shared.run(kind, make_documents(count))
            say(f"{kind}: a share of {INSTANCES}, {count // INSTANCES:,} documents")
            share = product.run(kind, make_documents(count // INSTANCES))
            slowdowns.append(slowdown())
            section.rows += _rows(kind, baseline, alone, together, share)
    section.notes += [_LATENCIES, _APART, _disturbance(slowdowns)]
    return section


def _rows(kind: str, baseline: JobRun, alone: JobRun, together: JobRun, share: JobRun) -> list[Row]:
    speedup = alone.documents_per_second / baseline.documents_per_second
    requests, baseline_requests = (run.requests / run.documents for run in (alone, baseline))
    apart = share.seconds + together.merge_seconds
    return [
        Row(
            f"{kind}, documents a second an instance, {alone.documents:,} documents",
            f"{alone.documents_per_second:.1f} ({alone.characters / alone.seconds:,.0f} characters)",
            f"{baseline.documents_per_second:.2f} (measured at {baseline.documents})",
            f"{times(speedup)} as many",
            at_least(speedup, MIN_SPEEDUP[kind], "at least {}x"),
        ),
        Row(
            f"{kind}, requests a document",
            f"{requests:.2f}",
            f"{baseline_requests:.2f} ({PARAGRAPHS} paragraphs)",
            f"{times(baseline_requests / requests)} fewer",
            at_most(requests, MAX_REQUESTS[kind], "at most {}"),
        ),
        Row(
            f"{kind}, {INSTANCES} instances on machines of their own",
            seconds(apart),
            f"{seconds(alone.seconds)} (one instance)",
            f"{times(alone.seconds / apart)} faster",
            at_least(alone.seconds / apart, MIN_SCALING[kind], "at least {}x"),
        ),
        Row(
            f"{kind}, {INSTANCES} instances on this machine",
            seconds(together.seconds),
            f"{seconds(alone.seconds)} (one instance)",
            f"{times(alone.seconds / together.seconds)} faster",
        ),
        Row(
            f"{kind}, {INSTANCES} instances on this machine, documents a second",
            f"{together.documents_per_second:.1f}",
            f"{baseline.documents_per_second:.2f}",
            f"{times(together.documents_per_second / baseline.documents_per_second)} as many",
        ),
    ]


def _measure_memory(say: Callable[[str], None], sizes: BatchSizes) -> Section:
    section = Section("Memory of batch jobs", f"the same job over a text file of {SMALL_MEGABYTES} MB.")
    with EmbeddedAws() as aws, TemporaryDirectory() as folder:
        for kind, megabytes in sizes.megabytes.items():
            runs = []
            for size in (SMALL_MEGABYTES, megabytes):
                say(f"{kind}: a text file of {size} MB")
                file = make_file(Path(folder) / f"{size}.txt", size)
                runs.append(run_program(aws, ROOT, kind, {"large.txt": file}))
                file.unlink()
            section.rows.append(_memory_row(kind, megabytes, *runs))
    section.notes.append(
        "Peak of the resident memory of the larger one of two processes: the program, and the process of the document. "
        "Nothing has latency here, so the times say what processors need, those of the embedded AWS included. Stacks "
        "refuse documents of this length unless `MAX_DOCUMENT_CHARACTERS` allows them."
    )
    return section


def _memory_row(kind: str, megabytes: int, small: ProgramRun, large: ProgramRun) -> Row:
    ratio = large.peak_megabytes / small.peak_megabytes
    return Row(
        f"{kind}, peak memory, a text file of {megabytes} MB",
        f"{large.peak_megabytes} MiB in {seconds(large.seconds)}",
        f"{small.peak_megabytes} MiB ({SMALL_MEGABYTES} MB)",
        f"{times(ratio)} as much",
        at_most(ratio, MAX_MEMORY, "flat: at most {}x"),
    )


def _disturbance(slowdowns: list[float]) -> str:
    return (
        f"Before and between the runs, a loop that needs 100 ms of a processor took {max(slowdowns) * 100:.0f} ms at "
        "most. More than 100 means that other programs were busy, which slows the product more than the baseline."
    )


@contextmanager
def _latencies(say: Callable[[str], None]) -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        say("deploying the product twice, and the naive program")
        aws.control.set_latency("comprehend", COMPREHEND_SECONDS)
        aws.control.set_latency("translate", TRANSLATE_SECONDS)
        yield aws

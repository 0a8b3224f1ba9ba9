"""Batch jobs: their kinds, options, statuses and records.

A new kind is one entry in `KINDS` and its program. The API, the command line, the batch program and the state machines
read the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from schema import projects
from schema.job_kind import Channel, JobKind, Model, Option, OptionError
from schema.languages import AUTOMATIC, COMPREHEND, TRANSLATE
from schema.limits import COMPREHEND_TEXT_BYTES
from schema.prices import COMPREHEND_UNITS, MINIMUM_UNITS, TRANSLATE_CHARACTERS, UNIT_CHARACTERS
from schema.templates import fields, fill

Status = Literal["running", "completed", "failed", "cancelled", "rejected"]
STATUSES: tuple[Status, ...] = ("running", "completed", "failed", "cancelled", "rejected")
RUNNING, COMPLETED, FAILED, CANCELLED, REJECTED = STATUSES
# Used in place of a job's id: the last completed job of a kind.
LATEST = "latest"
# Value of `requested_by` in jobs that a schedule started.
SCHEDULE = "schedule"
# Environment variables of the batch program: kind and id of the job, and its options as JSON.
KIND_VARIABLE = "JOB_KIND"
ID_VARIABLE = "JOB_ID"
OPTIONS_VARIABLE = "JOB_OPTIONS"
# Environment variable of the batch program: most characters that all instances of the job together may send to paid
# services, a whole number. The program counts them before its first paid call.
MAX_CHARACTERS_VARIABLE = "MAX_CHARACTERS"
# Kind of the second job, which merges the results of several instances. Users cannot start it.
MERGE = "merge"
# Prefix below a job's results under which each of several instances stores its part for the merging job.
PARTS_PREFIX = "parts/"
# Name of the report among a job's results.
REPORT_FILE = "report.json"
# Start of a program's exit message where the documents, and nothing inside, are why the job failed. The state machine
# removes it from the cause, and calls no operator.
OF_DOCUMENTS_MARK = "Documents: "
# Field of an execution's input that holds the address of the results.
OUTPUT_FIELD = "output"
# Field of a schedule's input that becomes the environment variable `MAX_CHARACTERS`.
MAX_CHARACTERS_FIELD = "max_characters"

# Attributes of a new job's item, as templates.
RECORD: Mapping[str, str] = {
    projects.PARTITION_KEY: projects.PROJECT_PARTITION,
    projects.SORT_KEY: projects.JOB,
    "job": "{job}",
    "project": "{project}",
    "project_status": projects.PROJECT_STATUS,
    "kind": "{kind}",
    "options": "{options}",
    "max_characters": "{max_characters}",
    "status": "{status}",
    "requested_by": "{requested_by}",
    "requested_at": "{requested_at}",
    "results": projects.RESULTS_PREFIX,
    "execution": "{execution}",
}
# Attributes that change with a job's status.
STATUS_RECORD: Mapping[str, str] = {name: RECORD[name] for name in ("status", "project_status")}
# Attributes that are added later.
STARTED_AT = "started_at"
FINISHED_AT = "finished_at"
CAUSE = "cause"


def _check_translation(options: Mapping[str, Any]) -> None:
    if options["engine"] == "marian" and options["source"] == AUTOMATIC:
        raise OptionError("source", "the language of the model, such as `en`; `marian` cannot detect it")
    if options["source"] == options["target"]:
        raise OptionError("target", f"another language than `source`, which is {options['source']} too")


def _marian_model(options: Mapping[str, Any], isolated: bool) -> Model | None:
    """Return the MarianMT model of a language pair, under the name that its publisher, Helsinki-NLP, uses."""
    if options["engine"] != "marian":
        if isolated:
            raise OptionError("engine", "`marian`: translation jobs reach no network here")
        return None
    source, target = options["source"], options["target"]
    reason = f"there is no MarianMT model from {source} to {target}"
    missing = ("target", f"a language with a model: {reason}") if isolated else ("engine", f"`amazon`: {reason}")
    return Model(name=f"opus-mt-{source}-{target}", missing=OptionError(*missing))


def _translation_usage(options: Mapping[str, Any], characters: int, documents: int) -> Mapping[str, int]:
    """Each character is translated once, or twice where an answer lacks lines; languages are detected by a sample."""
    if options["engine"] != "amazon":
        return {}
    detected = _most_units(characters, documents) if options["source"] == AUTOMATIC else 0
    return {TRANSLATE_CHARACTERS: 2 * characters, COMPREHEND_UNITS: detected}


def _analysis_usage(options: Mapping[str, Any], characters: int, documents: int) -> Mapping[str, int]:
    """Sentiment and key phrases are detected in all parts of a document, and the language in its first part."""
    # Of two parts that follow each other, one has at least half of what a request takes; a character has up to 4 bytes.
    parts = documents + -(-2 * 4 * characters // COMPREHEND_TEXT_BYTES)
    detected = 0 if options["language"] else _most_units(characters, documents)
    return {COMPREHEND_UNITS: 2 * _most_units(characters, parts) + detected}


def _most_units(characters: int, texts: int) -> int:
    """Return the most units that Amazon Comprehend bills for characters in a number of texts."""
    return -(-characters // UNIT_CHARACTERS) + MINIMUM_UNITS * texts


DOCUMENTS = Channel(name="documents", field="input", prefix=projects.DOCUMENTS_PREFIX, sharded=True)
MODEL = Channel(name="model", field="model", prefix=projects.MODELS_PREFIX, optional=True)

TRANSLATE_JOB = JobKind(
    name="translate",
    summary="Translate all documents of the project.",
    program="handlers.batch.translate.job",
    options=(
        Option(
            name="target",
            flag="--to",
            description="language to translate into",
            choices=TRANSLATE,
            service="Amazon Translate",
            required=True,
            examples=("de", "en", "zh-TW"),
        ),
        Option(
            name="source",
            flag="--from",
            description="language of the documents; `auto` detects it for each document",
            choices=(AUTOMATIC, *TRANSLATE),
            service="Amazon Translate",
            default=AUTOMATIC,
            when_absent="auto",
            examples=(AUTOMATIC, "en"),
        ),
        Option(
            name="engine",
            flag="--engine",
            description="what translates: Amazon Translate, or the MarianMT model of the pair of languages",
            choices=("amazon", "marian"),
            default="amazon",
            when_absent="amazon",
        ),
    ),
    actions=("comprehend:BatchDetectDominantLanguage", "translate:TranslateText"),
    channels=(DOCUMENTS, MODEL),
    can_be_isolated=True,
    check=_check_translation,
    model=_marian_model,
    most_usage=_translation_usage,
)

ANALYSE_JOB = JobKind(
    name="analyse",
    summary="Analyse all documents of the project.",
    program="handlers.batch.analyse.job",
    options=(
        Option(
            name="language",
            flag="--language",
            description="language of all documents",
            choices=COMPREHEND,
            service="Amazon Comprehend",
            when_absent="detected for each document",
            examples=("en", "de", "zh-TW"),
        ),
        Option(
            name="topics",
            flag="--topics",
            description="number of topics of the corpus",
            minimum=1,
            maximum=20,
            when_absent="chosen by the number of documents",
        ),
        Option(
            name="summary_sentences",
            flag="--summary-sentences",
            description="sentences in the summary of a document",
            minimum=1,
            maximum=10,
            default=3,
            when_absent="3",
        ),
    ),
    actions=(
        "comprehend:BatchDetectDominantLanguage",
        "comprehend:BatchDetectKeyPhrases",
        "comprehend:BatchDetectSentiment",
    ),
    channels=(DOCUMENTS,),
    most_usage=_analysis_usage,
)

KINDS: Mapping[str, JobKind] = {kind.name: kind for kind in (TRANSLATE_JOB, ANALYSE_JOB)}
# Modules that are imported by name, by the module that imports them. Bundling cannot find them in import statements.
IMPORTED_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "handlers.batch.programs": tuple(kind.program for kind in KINDS.values())
}


def job_record(**values: str) -> dict[str, str]:
    """Make the attributes of a job's item.

    Parameters
    ----------
    values
        A value for each field of the templates in `RECORD`.
    """
    return {name: fill(template, **values) for name, template in RECORD.items()}


def status_record(project: str, status: Status) -> dict[str, str]:
    """Make the attributes of a job's item that change with its status."""
    return {name: fill(template, project=project, status=status) for name, template in STATUS_RECORD.items()}


def execution_input(
    kind: JobKind,
    *,
    bucket: str,
    project: str,
    job: str,
    options: str,
    max_characters: str,
    model: str | None = None,
) -> dict[str, Any]:
    """Make the input of the execution that runs a job.

    Parameters
    ----------
    kind
        Kind of the job.
    bucket
        Bucket of documents, models and results.
    project, job
        Ids.
    options
        The job's options, as JSON.
    max_characters
        Most characters that it may send to paid services.
    model
        Name of the model that the options need.
    """
    values = {"project": project, "job": job, **({"model": model} if model else {})}
    prefixes = {channel.field: channel.prefix for channel in kind.channels} | {OUTPUT_FIELD: projects.RESULTS_PREFIX}
    return {
        "project": project,
        "job": job,
        "kind": kind.name,
        "bucket": bucket,
        **{
            field: f"s3://{bucket}/{fill(prefix, **values)}"
            for field, prefix in prefixes.items()
            if values.keys() >= set(fields(prefix))
        },
        "environment": {OPTIONS_VARIABLE: options, MAX_CHARACTERS_VARIABLE: max_characters},
    }


def model_of(kind: str, options: Mapping[str, Any]) -> str | None:
    """Return the name of the model that a job needs, or None; absent options have their defaults."""
    model = KINDS[kind].model(KINDS[kind].with_defaults(options), False)
    return model.name if model else None

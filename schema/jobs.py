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
# Kind of the second job, which merges the results of several instances. Users cannot start it.
MERGE = "merge"
# Prefix below a job's results under which each of several instances stores its part for the merging job.
PARTS_PREFIX = "parts/"
# Start of a program's exit message where the documents, and nothing inside, are why the job failed. The state machine
# removes it from the cause, and calls no operator.
OF_DOCUMENTS_MARK = "Documents: "
# Field of an execution's input that holds the address of the results.
OUTPUT_FIELD = "output"

# Attributes of a new job's item, as templates.
RECORD: Mapping[str, str] = {
    projects.PARTITION_KEY: projects.PROJECT_PARTITION,
    projects.SORT_KEY: projects.JOB,
    "job": "{job}",
    "project": "{project}",
    "project_status": projects.PROJECT_STATUS,
    "kind": "{kind}",
    "options": "{options}",
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
    kind: JobKind, *, bucket: str, project: str, job: str, options: str, model: str | None = None
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
        "environment": {OPTIONS_VARIABLE: options},
    }


def model_of(kind: str, options: Mapping[str, Any]) -> str | None:
    """Return the name of the model that a job needs, or None; absent options have their defaults."""
    model = KINDS[kind].model(KINDS[kind].with_defaults(options), False)
    return model.name if model else None

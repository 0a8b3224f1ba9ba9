"""Batch jobs: their kinds, options, statuses and records.

A new kind is one entry in `KINDS` and its program. The API, the command line, the settings, the batch program and the
state machines read the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schema import projects
from schema.languages import AUTOMATIC, COMPREHEND, TRANSLATE
from schema.templates import fill

Status = Literal["running", "completed", "failed", "cancelled", "rejected"]
STATUSES: tuple[Status, ...] = ("running", "completed", "failed", "cancelled", "rejected")
RUNNING, COMPLETED, FAILED, CANCELLED, REJECTED = STATUSES
# In place of a job's id: the job of a kind that was completed last.
LATEST = "latest"
# Who requested a job that a schedule started.
SCHEDULE = "schedule"
# Environment variable of the batch program that holds the options as JSON.
OPTIONS_VARIABLE = "JOB_OPTIONS"
# Kind of the second job that puts the results of several instances together. Users cannot start it.
MERGE = "merge"
# Prefix, below a job's results, of what each of several instances leaves for the merging job.
PARTS_PREFIX = "parts/"

# Attributes of a job's item, as templates of what is known when the job is recorded.
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
# Attributes that are added later.
STARTED_AT = "started_at"
FINISHED_AT = "finished_at"
CAUSE = "cause"


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a kind of job.

    Attributes
    ----------
    name
        Field of the request's `options`.
    flag
        Option of the command line, such as `--to`.
    description
        What it does, as a phrase.
    choices
        Allowed texts; an integer when empty.
    service
        Whose language codes the choices are, for messages; empty where they are no languages.
    minimum, maximum
        Bounds of an integer.
    default
        Value when the option is absent; None where that has a meaning of its own, which `when_absent` says.
    required
        The option must be given.
    when_absent
        What happens without the option, for help texts.
    """

    name: str
    flag: str
    description: str
    choices: tuple[str, ...] = ()
    service: str = ""
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | None = None
    required: bool = False
    when_absent: str = ""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An input of a job: objects that SageMaker brings to the container.

    Attributes
    ----------
    name
        Folder in the container: `/opt/ml/processing/input/<name>`.
    field
        Field of the execution's input that holds the address.
    prefix
        Template of the objects' prefix.
    sharded
        Several instances share the objects; otherwise each instance gets all of them.
    optional
        The field may be missing: then the job has no such channel.
    """

    name: str
    field: str
    prefix: str
    sharded: bool = False
    optional: bool = False


def _check_nothing(_options: Mapping[str, Any]) -> None:
    """Accept all options that are valid each by itself."""


def _no_model(_options: Mapping[str, Any]) -> str | None:
    """Name no model."""
    return None


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of batch job.

    Attributes
    ----------
    name
        Lower-case letters, digits and hyphens, at most 20.
    summary
        What a job does, as a sentence.
    program
        Module of the batch program that runs such jobs: its function `run(job, options)` returns a report.
    options
        What a user may choose.
    actions
        IAM actions of the services that the program calls; none of them has a resource to name.
    channels
        Inputs besides the program itself.
    check
        Raises `ValueError` where options contradict each other; gets all options, defaults included. The message
        names the field: "`target`: expected ...".
    model
        Names the model that the options need, which the channel `model` brings; None where they need none.
    """

    name: str
    summary: str
    program: str
    options: tuple[Option, ...]
    actions: tuple[str, ...]
    channels: tuple[Channel, ...]
    check: Callable[[Mapping[str, Any]], None] = _check_nothing
    model: Callable[[Mapping[str, Any]], str | None] = _no_model


def _check_translation(options: Mapping[str, Any]) -> None:
    if options["engine"] == "marian" and options["source"] == AUTOMATIC:
        raise ValueError("`source`: expected the language of the model, such as `en`; `marian` cannot detect it")
    if options["source"] == options["target"]:
        raise ValueError(f"`target`: expected another language than `source`, which is {options['source']} too")


def _marian_model(options: Mapping[str, Any]) -> str | None:
    """Name the MarianMT model of a pair of languages, as its publisher, Helsinki-NLP, names it."""
    return f"opus-mt-{options['source']}-{options['target']}" if options["engine"] == "marian" else None


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
        ),
        Option(
            name="source",
            flag="--from",
            description="language of the documents",
            choices=(AUTOMATIC, *TRANSLATE),
            service="Amazon Translate",
            default=AUTOMATIC,
            when_absent="detected",
        ),
        Option(
            name="engine",
            flag="--engine",
            description="what translates: Amazon Translate, or the job's own MarianMT model",
            choices=("amazon", "marian"),
            default="amazon",
            when_absent="amazon",
        ),
    ),
    actions=("comprehend:BatchDetectDominantLanguage", "translate:TranslateText"),
    channels=(DOCUMENTS, MODEL),
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
            when_absent="detected",
        ),
        Option(
            name="topics",
            flag="--topics",
            description="number of topics",
            minimum=1,
            maximum=20,
            when_absent="chosen by the number of documents",
        ),
        Option(
            name="summary_sentences",
            flag="--summary-sentences",
            description="sentences in a document's summary",
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


def job_record(**values: str) -> dict[str, str]:
    """Make the attributes of a job's item.

    Parameters
    ----------
    values
        A value for each field of the templates in `RECORD`.
    """
    return {name: fill(template, **values) for name, template in RECORD.items()}


def model_of(kind: str, options: Mapping[str, Any]) -> str | None:
    """Name the model that a job needs, if it needs one; options that are absent have their defaults."""
    declared = KINDS[kind]
    return declared.model({option.name: option.default for option in declared.options} | dict(options))

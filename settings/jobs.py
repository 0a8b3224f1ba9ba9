"""Settings of documents and of the batch jobs over them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from schema.defaults import IMAGE_NAME, IMAGE_PYTHON, IMAGE_VERSION
from schema.jobs import KINDS, model_of
from schema.limits import (
    JOB_OPTIONS_CHARACTERS,
    JOB_SECONDS,
    MOST_CHARACTERS,
)
from settings.reader import (
    EntriesError,
    Flag,
    Group,
    InstanceType,
    JobLabel,
    OrUnset,
    ProjectId,
    PythonVersion,
    Schedule,
    WholeNumber,
    one_of,
)

KindOfJob = Annotated[str, one_of(sorted(KINDS))]


class DocumentSettings(Group):
    """Documents of projects."""

    version_retention_days: WholeNumber | None = Field(default=None, ge=1, le=36_500)
    """Days that deleted documents and results are kept; current documents stay until they are deleted"""


class JobScheduleSettings(Group):
    """Batch jobs of one kind that start on a schedule."""

    label: JobLabel
    """Short name, unique per kind"""
    kind: KindOfJob
    """Kind of the jobs"""
    schedule: Schedule
    """When jobs start, such as rate(1 day) or cron(0 2 * * ? *), in UTC"""
    project: ProjectId
    """Id of the project"""
    options: dict[str, Any] = Field(default={}, validate_default=True)
    """Options of the jobs, as in the API"""
    max_characters: WholeNumber | None = Field(default=None, ge=1, le=MOST_CHARACTERS)
    """Most characters that a job sends to paid services; jobs.max_characters when not set"""

    @field_validator("options")
    @classmethod
    def _accepted_by_the_kind(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if len(_json(options)) > JOB_OPTIONS_CHARACTERS:
            raise ValueError(f"at most {JOB_OPTIONS_CHARACTERS} characters")
        if "kind" not in info.data:
            return options
        kind = KINDS[info.data["kind"]]
        purposes = {option.name: f" ({option.description})" for option in kind.options}
        mistakes = kind.mistakes(options)
        if mistakes:
            raise EntriesError({one.option: one.expected + purposes.get(one.option, "") for one in mistakes})
        return options

    @property
    def options_json(self) -> str:
        """The options as jobs receive them."""
        return _json(self.options)

    @property
    def channels(self) -> dict[str, str]:
        """Values for the templates of the optional input channels of a job: the name of the model that it needs."""
        model = model_of(self.kind, self.options)
        return {"model": model} if model else {}


class JobSettings(Group):
    """Batch jobs."""

    image: OrUnset[str] = None
    """Container image in Amazon ECR, best with its digest; when not set, the SageMaker image that follows"""
    image_name: str = IMAGE_NAME
    """Repository of the SageMaker image"""
    image_version: str = IMAGE_VERSION
    """Tag of the SageMaker image"""
    python_version: PythonVersion = IMAGE_PYTHON
    """Python version of the image, for which packages are downloaded"""
    instance_type: InstanceType | None = None
    """SageMaker instance type"""
    instance_count: WholeNumber | None = Field(default=None, ge=1, le=20)
    """Instances that share the documents of a job"""
    volume_gb: WholeNumber | None = Field(default=None, ge=1, le=16_384)
    """Disk size per instance, in GB"""
    time_limit_seconds: WholeNumber | None = Field(default=None, ge=1, le=JOB_SECONDS)
    """Longest run time of a job, in seconds"""
    max_characters: WholeNumber | None = Field(default=None, ge=1, le=MOST_CHARACTERS)
    """Most characters that a job may send to paid services"""
    result_retention_days: WholeNumber | None = Field(default=None, ge=1, le=36_500)
    """Days that the results of jobs are kept"""
    isolated_translation: Flag = False
    """Run translation jobs without a network, not even to AWS; MarianMT only"""
    schedules: tuple[JobScheduleSettings, ...] = ()
    """Jobs that start on a schedule"""

    @field_validator("schedules")
    @classmethod
    def _unique_and_within_the_limit(
        cls, schedules: tuple[JobScheduleSettings, ...], info: ValidationInfo
    ) -> tuple[JobScheduleSettings, ...]:
        counts = Counter((one.kind, one.label) for one in schedules)
        if repeated := [f"{label!r} of {kind}" for (kind, label), count in counts.items() if count > 1]:
            raise ValueError(f"each label once per kind, not several times like {' and '.join(repeated)}")
        most = info.data.get("max_characters")
        if most and (over := [one.label for one in schedules if (one.max_characters or 0) > most]):
            raise ValueError(f"max_characters of at most {most}, as jobs.max_characters is, for {' and '.join(over)}")
        return schedules


def _json(options: dict[str, Any]) -> str:
    return json.dumps(options, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

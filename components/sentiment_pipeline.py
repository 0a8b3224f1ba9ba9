"""SentimentPipeline: watches companies and publishes what the world says of them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, child_of
from components.blocks.compute.python_function import FunctionDefaults, PythonFunction
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.storage.work_queue import WorkQueue

# Amazon Comprehend: at most 25 documents a BatchDetectSentiment, so a batch of messages is one call.
BATCH_SIZE = 25
RESULTS_PREFIX = "sentiment/"
DISPATCH_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class SentimentPipelineArgs:
    """What a pipeline is given.

    Attributes
    ----------
    functions
        What its functions have in common with the stack's others.
    schedule
        When runs start: EventBridge's `rate(...)` or `cron(...)`.
    scheduled
        Whether the schedule starts runs at all.
    language
        Language of the texts, as Amazon Comprehend names it.
    text_source_url
        Server of the texts, in the shape of Wikipedia's REST interface; Wikipedia when absent.
    contact
        Address or page for the text source's operators.
    companies_per_segment
        How many companies one dispatching invocation sends; larger tables are sent by several.
    batch_window_seconds
        How long a batch may wait to fill.
    analyse_timeout_seconds, analyse_concurrency
        Time limit of a batch, and how many are analysed at once.
    retry_seconds
        Longest delay after a company's first failure; it doubles from there.
    max_receives
        Attempts before a message becomes a dead letter.
    observation_retention_days, result_retention_days
        How long a company's history and result objects are kept.
    protect
        Refuse to delete the tables and the bucket.
    max_age_seconds
        An alarm tells when the oldest message is older.
    """

    functions: FunctionDefaults
    schedule: str = "rate(5 minutes)"
    scheduled: bool = True
    language: str = "en"
    text_source_url: str = ""
    contact: str = ""
    companies_per_segment: int = 2000
    batch_window_seconds: int = 5
    analyse_timeout_seconds: int = 30
    analyse_concurrency: int = 10
    retry_seconds: int = 30
    max_receives: int = 5
    observation_retention_days: int = 90
    result_retention_days: int = 365
    protect: bool = False
    max_age_seconds: int = 3600


class SentimentPipeline(pulumi.ComponentResource):
    """Companies in a table, observed on a schedule: their texts' sentiment lands in a table and in a bucket.

    A schedule starts `dispatch`, which sends a message for each company; `analyse` takes up to 25 of them, analyses the
    texts that changed since the last run, and writes observations and one CSV object.

    Attributes
    ----------
    companies, observations
        The tables.
    results
        The bucket.
    work
        The queue between the functions.
    dispatch, analyse
        The functions.
    """

    def __init__(self, name: str, args: SentimentPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:index:SentimentPipeline", name, {}, opts)
        self.companies = Table(f"{name}-companies", "name", protect=args.protect, opts=child_of(self))
        self.observations = Table(
            f"{name}-observations", "company", "record", "expires_at", args.protect, opts=child_of(self)
        )
        self.results = PrivateBucket(f"{name}-results", args.result_retention_days, args.protect, opts=child_of(self))
        self.work = WorkQueue(
            f"{name}-work",
            args.analyse_timeout_seconds,
            args.batch_window_seconds,
            args.max_receives,
            args.max_age_seconds,
            args.functions.notify,
            opts=child_of(self),
        )
        self.dispatch = self._dispatch(f"{name}-dispatch", args)
        self.analyse = self._analyse(f"{name}-analyse", args)
        self._start_on_schedule(name, args)
        self._feed_analyse(name, args)
        self.register_outputs(
            {
                "companies": self.companies.name,
                "observations": self.observations.name,
                "results": self.results.name,
                "work": self.work.url,
            }
        )

    def _dispatch(self, name: str, args: SentimentPipelineArgs) -> PythonFunction:
        return PythonFunction(
            name,
            "handlers/sentiment/dispatch.py",
            args.functions,
            allow=[self.companies.scanning(), self.companies.describing(), self.work.sending()],
            environment={
                "COMPANIES_TABLE": self.companies.name,
                "WORK_QUEUE_URL": self.work.url,
                "SEGMENT_SIZE": str(args.companies_per_segment),
            },
            timeout_seconds=DISPATCH_TIMEOUT_SECONDS,
            memory_mb=512,
            asynchronous=True,
            invokes_itself=True,
            opts=child_of(self),
        )

    def _analyse(self, name: str, args: SentimentPipelineArgs) -> PythonFunction:
        return PythonFunction(
            name,
            "handlers/sentiment/analyse.py",
            args.functions,
            allow=[
                self.work.consuming(),
                self.work.delaying(),
                self.observations.batch_getting(),
                self.observations.putting(),
                self.results.putting(RESULTS_PREFIX),
                self.results.listing(RESULTS_PREFIX),
                _detecting_sentiment(),
            ],
            environment={
                "OBSERVATIONS_TABLE": self.observations.name,
                "RESULTS_BUCKET": self.results.name,
                "WORK_QUEUE_URL": self.work.url,
                "TEXT_SOURCE_URL": args.text_source_url or _wikipedia(args.language),
                "CONTACT": args.contact or "no contact given",
                "LANGUAGE": args.language,
                "RETENTION_DAYS": str(args.observation_retention_days),
                "RETRY_SECONDS": str(args.retry_seconds),
            },
            timeout_seconds=args.analyse_timeout_seconds,
            memory_mb=512,
            opts=child_of(self),
        )

    def _start_on_schedule(self, name: str, args: SentimentPipelineArgs) -> None:
        rule = aws.cloudwatch.EventRule(
            f"{name}-schedule",
            description="Starts runs of the sentiment pipeline",
            schedule_expression=args.schedule,
            state="ENABLED" if args.scheduled else "DISABLED",
            opts=child_of(self),
        )
        permission = aws.lambda_.Permission(
            f"{name}-schedule",
            action="lambda:InvokeFunction",
            function=self.dispatch.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=child_of(self),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-schedule",
            rule=rule.name,
            arn=self.dispatch.arn,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
            ),
            opts=child_of(self, depends_on=[permission]),
        )
        alarm_above(
            self,
            f"{name}-schedule",
            "The schedule could not start a run. Is the function there, and may EventBridge invoke it?",
            Metric("AWS/Events", "FailedInvocations", {"RuleName": rule.name}, "Sum"),
            0,
            args.functions.notify,
        )

    def _feed_analyse(self, name: str, args: SentimentPipelineArgs) -> None:
        aws.lambda_.EventSourceMapping(
            f"{name}-work",
            event_source_arn=self.work.arn,
            function_name=self.analyse.name,
            batch_size=BATCH_SIZE,
            maximum_batching_window_in_seconds=args.batch_window_seconds,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=args.analyse_concurrency
            ),
            opts=child_of(self),
        )


def _detecting_sentiment() -> Permission:
    return Permission(
        ["comprehend:BatchDetectSentiment"],
        ["*"],
        why_any_resource="Amazon Comprehend's synchronous calls have no resource to name",
    )


def _wikipedia(language: str) -> str:
    return f"https://{language.partition('-')[0]}.wikipedia.org"

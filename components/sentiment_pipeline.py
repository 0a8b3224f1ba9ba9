"""SentimentPipeline: watches companies and publishes the sentiment of texts about them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import DETECT_SENTIMENT
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.resources import child
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.storage.work_queue import WorkQueue
from components.blocks.workflow.schedule import Schedule
from schema import companies, defaults, limits

DISPATCH_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class SentimentPipelineArgs:
    """Arguments of a pipeline; all have defaults.

    Attributes
    ----------
    functions
        Defaults shared by all functions of the stack.
    schedule
        When runs start: EventBridge's `rate(...)` or `cron(...)`.
    scheduled
        Whether the schedule starts runs at all.
    language
        Language of the texts, as Amazon Comprehend names it.
    text_source_url
        Base address of a text source that offers MediaWiki's Action API; Wikipedia when absent.
    contact
        E-mail address or web page that is sent to the text source with each request.
    companies_per_segment
        Companies sent per dispatch invocation; larger tables are split across several.
    batch_window_seconds
        Longest wait for a batch to fill, in seconds.
    analyse_timeout_seconds, analyse_concurrency
        Time limit of a batch, in seconds, and batches analysed at the same time.
    retry_seconds
        Longest delay after a company's first failure, in seconds; it doubles with each further one.
    max_receives
        Attempts before a message becomes a dead letter.
    observation_retention_days, result_retention_days
        Days after which observations and result objects are deleted.
    protect
        Protect the tables and the bucket from deletion.
    max_age_seconds
        Alarm threshold for the age of the oldest message, in seconds.
    """

    functions: FunctionDefaults = field(default_factory=FunctionDefaults)
    schedule: pulumi.Input[str] = "rate(5 minutes)"
    scheduled: bool = True
    language: str = "en"
    text_source_url: pulumi.Input[str] | None = None
    contact: pulumi.Input[str] | None = None
    companies_per_segment: int = 2000
    batch_window_seconds: int = 5
    analyse_timeout_seconds: int = 30
    analyse_concurrency: int = defaults.ANALYSE_CONCURRENCY
    retry_seconds: int = 30
    max_receives: int = 5
    observation_retention_days: int = 90
    result_retention_days: int = 365
    protect: bool = False
    max_age_seconds: int = 3600


class SentimentPipeline(pulumi.ComponentResource):
    """Companies in a table, observed on a schedule: the sentiment of their texts goes to a table and to a bucket.

    A schedule starts `dispatch`, which sends one message per company. `analyse` takes up to 25 messages, analyses the
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

    def __init__(
        self,
        name: str,
        args: SentimentPipelineArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:index:SentimentPipeline", name, {}, opts)
        args = args or SentimentPipelineArgs()
        self.companies = Table(
            f"{name}-companies", hash_key=companies.COMPANY_KEY, protect=args.protect, opts=child(self)
        )
        self.observations = Table(
            f"{name}-observations",
            hash_key=companies.OBSERVATION_KEY,
            range_key=companies.OBSERVATION_SORT_KEY,
            ttl_attribute=companies.OBSERVATION_EXPIRES,
            protect=args.protect,
            opts=child(self),
        )
        self.results = PrivateBucket(
            f"{name}-results", expire_days=args.result_retention_days, protect=args.protect, opts=child(self)
        )
        self.work = WorkQueue(
            f"{name}-work",
            consumer_timeout_seconds=args.analyse_timeout_seconds,
            consumer_window_seconds=args.batch_window_seconds,
            max_receives=args.max_receives,
            max_age_seconds=args.max_age_seconds,
            alarm_topics=args.functions.alarm_topics,
            opts=child(self),
        )
        self.dispatch = self._dispatch(f"{name}-dispatch", args)
        self.analyse = self._analyse(f"{name}-analyse", args)
        Schedule(
            f"{name}-schedule",
            expression=args.schedule,
            target=self.dispatch,
            description="Starts runs of the sentiment pipeline",
            enabled=args.scheduled,
            alarm_topics=args.functions.alarm_topics,
            opts=child(self),
        )
        self._feed_analyse(f"{name}-work", args)
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
            handler="handlers/sentiment/dispatch.py",
            defaults=args.functions,
            uses={
                "COMPANIES_TABLE": self.companies.grant("Scan", "DescribeTable"),
                "WORK_QUEUE_URL": self.work.grant("SendMessage"),
            },
            environment={"SEGMENT_SIZE": str(args.companies_per_segment), "STACK": pulumi.get_stack()},
            timeout_seconds=DISPATCH_TIMEOUT_SECONDS,
            memory_mb=512,
            asynchronous=True,
            invokes_itself=True,
            opts=child(self),
        )

    def _analyse(self, name: str, args: SentimentPipelineArgs) -> PythonFunction:
        return PythonFunction(
            name,
            handler="handlers/sentiment/analyse.py",
            defaults=args.functions,
            uses={
                # Lambda's event source receives and deletes the messages; the function delays failed messages.
                "WORK_QUEUE_URL": self.work.grant(
                    "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility"
                ),
                "OBSERVATIONS_TABLE": self.observations.grant("BatchGetItem", "PutItem"),
                "RESULTS_BUCKET": self.results.grant("PutObject", "ListBucket", prefix=companies.RESULTS_PREFIX),
            },
            permissions=[DETECT_SENTIMENT],
            environment={
                "TEXT_SOURCE_URL": _wikipedia(args.language) if args.text_source_url is None else args.text_source_url,
                "CONTACT": "no contact given" if args.contact is None else args.contact,
                "LANGUAGE": args.language,
                "RETENTION_DAYS": str(args.observation_retention_days),
                "RETRY_SECONDS": str(args.retry_seconds),
                "STACK": pulumi.get_stack(),
            },
            timeout_seconds=args.analyse_timeout_seconds,
            memory_mb=512,
            opts=child(self),
        )

    def _feed_analyse(self, name: str, args: SentimentPipelineArgs) -> None:
        aws.lambda_.EventSourceMapping(
            name,
            event_source_arn=self.work.arn,
            function_name=self.analyse.name,
            batch_size=limits.COMPREHEND_TEXTS,  # so that a batch of messages is one call of Amazon Comprehend
            maximum_batching_window_in_seconds=args.batch_window_seconds,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=args.analyse_concurrency
            ),
            opts=child(self),
        )


def _wikipedia(language: str) -> str:
    return f"https://{language.partition('-')[0]}.wikipedia.org"

"""SentimentPipeline: watches companies and publishes the sentiment of texts about them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import DETECT_SENTIMENT
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.storage.work_queue import WorkQueue
from components.blocks.workflow.schedule import Schedule
from components.text_limits import TextLimits
from schema import companies, defaults, wikipedia

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
    version
        The product's version, which is sent as well.
    text_requests_per_minute
        Requests to the text source per minute, of all functions together; Wikipedia's limit when absent, which is
        higher with a contact.
    expected_companies
        Number of companies that will be watched, for a warning if schedule and limit do not allow that many.
    companies_per_segment
        Companies sent per dispatch invocation; larger tables are split across several.
    batch_window_seconds
        Longest wait for a batch to fill, in seconds.
    analyse_timeout_seconds, analyse_concurrency
        Time limit of a batch, in seconds, and batches analysed at the same time. Each makes one request to the text
        source at a time, of which Wikipedia allows three at once.
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
    version: str = "0"
    text_requests_per_minute: int | None = None
    expected_companies: int | None = None
    companies_per_segment: int = 2000
    batch_window_seconds: int = 5
    analyse_timeout_seconds: int = 120
    analyse_concurrency: int = defaults.ANALYSE_CONCURRENCY
    retry_seconds: int = 30
    max_receives: int = 5
    observation_retention_days: int = 90
    result_retention_days: int = 365
    protect: bool = False
    max_age_seconds: int = 3600


class SentimentPipeline(pulumi.ComponentResource):
    """Companies in a table, observed on a schedule: the sentiment of their texts goes to a table and to a bucket.

    A schedule starts `dispatch`, which sends one message per company. `analyse` takes up to 50 messages, analyses the
    texts that were never analysed, and writes what changed to the table and to a CSV object. A second object has a row
    that sums up the batch.

    Attributes
    ----------
    companies, observations
        The tables.
    budget
        The table in which all functions share the limit on requests to the text source.
    limits
        That limit, and what fits in it.
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
        self.limits = TextLimits(
            per_minute=args.text_requests_per_minute,
            contact=args.contact is not None,
            is_wikipedia=isinstance(args.text_source_url, str | None) and wikipedia.is_wikipedia(args.text_source_url),
            schedule=args.schedule if args.scheduled and isinstance(args.schedule, str) else "",
            companies=args.expected_companies,
            batches=args.analyse_concurrency,
            batch_seconds=args.analyse_timeout_seconds,
        )
        for warning in self.limits.warnings():
            pulumi.log.warn(warning, resource=self)
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
        self.budget = Table(f"{name}-budget", hash_key=wikipedia.BUDGET_KEY, protect=args.protect, opts=child(self))
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
        self._watch_runs(f"{name}-runs-left-out", args)
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
                "WORK_QUEUE_URL": self.work.grant("SendMessage", "GetQueueAttributes"),
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
                # Lambda's event source receives and deletes the messages; the function delays failed messages, and
                # sends those again that only have to wait.
                "WORK_QUEUE_URL": self.work.grant(
                    "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility", "SendMessage"
                ),
                "BUDGET_TABLE": self.budget.grant("UpdateItem", "GetItem"),
                "OBSERVATIONS_TABLE": self.observations.grant("BatchGetItem", "PutItem", "UpdateItem"),
                "RESULTS_BUCKET": self.results.grant(
                    "PutObject", "ListBucket", prefixes=[companies.RESULTS_PREFIX, companies.BATCHES_PREFIX]
                ),
            },
            permissions=[DETECT_SENTIMENT],
            environment={
                "TEXT_SOURCE_URL": _wikipedia(args.language) if args.text_source_url is None else args.text_source_url,
                "TEXT_REQUESTS_PER_MINUTE": str(self.limits.per_minute),
                "CONTACT": "no contact given" if args.contact is None else args.contact,
                "VERSION": args.version,
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
            batch_size=wikipedia.PAGES_PER_REQUEST,  # so that a batch of messages is one request to Wikipedia
            maximum_batching_window_in_seconds=args.batch_window_seconds,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=args.analyse_concurrency
            ),
            opts=child(self),
        )

    def _watch_runs(self, name: str, args: SentimentPipelineArgs) -> None:
        alarm_above(
            name,
            description="A scheduled run was left out, as companies of an earlier run were still waiting. See the "
            "metrics of the text source; lengthen the schedule, or raise the limit on requests.",
            metric=Metric("CloudNLP", "RunsLeftOut", {"Stack": pulumi.get_stack(), "Service": "dispatch"}, "Sum"),
            threshold=0,
            alarm_topics=args.functions.alarm_topics,
            opts=child(self),
        )


def _wikipedia(language: str) -> str:
    return f"https://{language.partition('-')[0]}.wikipedia.org"

"""Cloud NLP: settings in, components wired, outputs exported."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.layer import dependency_layer
from components.blocks.notifications import Notifications
from components.blocks.python_function import FunctionDefaults
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from settings import host_architecture, host_runtime, load_settings

settings = load_settings()

on_host = settings.functions.runtime == "host"
runtime = host_runtime() if on_host else settings.functions.runtime
architecture = host_architecture() if on_host else settings.functions.architecture

notify = [Notifications("notifications", settings.notify_emails).arn] if settings.notify_emails else []

layer = dependency_layer(
    "handlers", Path(__file__).parent / "requirements" / "layer.txt", runtime, architecture, for_host=on_host
)
functions = FunctionDefaults(
    runtime=runtime,
    architecture=architecture,
    layers=[layer.arn],
    log_retention_days=settings.functions.log_retention_days,
    log_level=settings.functions.log_level,
    tracing=settings.functions.tracing,
    notify=notify,
)

sentiment = SentimentPipeline(
    "sentiment",
    SentimentPipelineArgs(
        functions=functions,
        schedule=settings.sentiment.schedule,
        scheduled=settings.sentiment.scheduled,
        language=settings.sentiment.language,
        text_source_url=settings.sentiment.text_source_url,
        contact=settings.sentiment.contact,
        companies_per_segment=settings.sentiment.companies_per_segment,
        batch_window_seconds=settings.sentiment.batch_window_seconds,
        analyse_timeout_seconds=settings.sentiment.analyse_timeout_seconds,
        analyse_concurrency=settings.sentiment.analyse_concurrency,
        retry_seconds=settings.sentiment.retry_seconds,
        max_receives=settings.sentiment.max_receives,
        observation_retention_days=settings.sentiment.observation_retention_days,
        result_retention_days=settings.sentiment.result_retention_days,
        protect=settings.protect,
        max_age_seconds=settings.sentiment.max_age_seconds,
    ),
)

pulumi.export("region", aws.config.region)
pulumi.export("schedule", settings.sentiment.schedule if settings.sentiment.scheduled else "off")
pulumi.export("companies_table", sentiment.companies.name)
pulumi.export("observations_table", sentiment.observations.name)
pulumi.export("results_bucket", sentiment.results.name)
pulumi.export("work_queue_url", sentiment.work.url)
pulumi.export("dead_letter_queue_url", sentiment.work.dead_letter_url)
pulumi.export("dispatch_function", sentiment.dispatch.name)
pulumi.export("dispatch_failures_queue_url", sentiment.dispatch.failures_url)
pulumi.export("analyse_function", sentiment.analyse.name)

"""Cloud NLP: settings in, components wired, outputs exported."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.batch_job_workflow import JobSchedule
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.layer import dependency_layer
from components.blocks.compute.sagemaker_images import prebuilt_image
from components.blocks.compute.wheels import download_wheels
from components.blocks.http.api_domain import Domain
from components.blocks.http.http_api import Audience, Throttle
from components.blocks.observe.notifications import Notifications
from components.product_api import JobDefaults, ProductApi, ProductApiArgs
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from schema.jobs import KINDS
from settings import host_architecture, host_runtime, load_settings

ROOT = Path(__file__).parent

settings = load_settings()
version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

on_host = settings.functions.runtime == "host"
runtime = host_runtime() if on_host else settings.functions.runtime
architecture = host_architecture() if on_host else settings.functions.architecture

notifications = Notifications("notifications", emails=settings.notify_emails) if settings.notify_emails else None

layer = dependency_layer("handlers", ROOT / "requirements" / "layer.txt", runtime, architecture, for_host=on_host)
functions = FunctionDefaults(
    runtime=runtime,
    architecture=architecture,
    layers=[layer.arn],
    log_retention_days=settings.functions.log_retention_days,
    log_level=settings.functions.log_level,
    tracing=settings.functions.tracing,
    alarm_topics=[notifications.arn] if notifications else [],
)

sentiment = SentimentPipeline(
    "sentiment",
    SentimentPipelineArgs(
        functions=functions,
        schedule=settings.sentiment.schedule,
        scheduled=settings.sentiment.scheduled,
        language=settings.sentiment.language,
        text_source_url=settings.sentiment.text_source_url or None,
        contact=settings.sentiment.contact or None,
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

jobs, api = settings.jobs, settings.api
product = ProductApi(
    "product",
    ProductApiArgs(
        functions=functions,
        companies=sentiment.companies,
        observations=sentiment.observations,
        jobs=JobDefaults(
            image=jobs.image or prebuilt_image(jobs.image_name, jobs.image_version, aws.config.region or ""),
            # The embedded AWS runs jobs with this machine's Python, which has the packages.
            wheels=None if on_host else download_wheels(ROOT / "requirements" / "batch.txt", jobs.python_version),
            instance_type=jobs.instance_type,
            instance_count=jobs.instance_count,
            volume_gb=jobs.volume_gb,
            time_limit_seconds=jobs.time_limit_seconds,
            isolated_translation=jobs.isolated_translation,
            schedules={
                kind: [
                    JobSchedule(
                        one.label,
                        expression=one.schedule,
                        project=one.project,
                        options=one.options_json,
                        fields=one.channels,
                    )
                    for one in jobs.schedules
                    if one.kind == kind
                ]
                for kind in KINDS
            },
        ),
        version=version,
        audience=Audience(api.issuer, api.audience) if api.issuer else None,
        sign_in=SignIn(
            api.self_registration, api.mfa, api.callback_urls, api.logout_urls, api.sign_in_prefix, api.firewall
        ),
        throttle=Throttle(api.requests_per_second, api.burst),
        costly_throttle=Throttle(api.costly_requests_per_second, api.costly_burst),
        origins=api.origins,
        domain=Domain(api.domain, api.hosted_zone_id, api.certificate_arn) if api.domain else None,
        announce=notifications,
        protect=settings.protect,
    ),
)
users = product.api.users

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

pulumi.export("api_url", product.api.url)
pulumi.export("documents_table", product.documents.name)
pulumi.export("documents_bucket", product.files.name)
pulumi.export("state_machines", {kind: workflow.machine.arn for kind, workflow in product.workflows.items()})
pulumi.export("issuer", users.issuer if users else api.issuer)
pulumi.export("user_pool", users.id if users else "")
pulumi.export("command_line_client", users.command_line_client_id if users else "")
pulumi.export("web_client", (users.web_client_id if users else None) or "")
pulumi.export("sign_in_domain", users.domain if users else "")

"""Cloud NLP: settings in, components wired, outputs exported."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.batch_job_workflow import JobSchedule
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.layer import dependency_layer
from components.blocks.compute.python_function import FunctionDefaults
from components.blocks.compute.sagemaker_images import prebuilt_image
from components.blocks.compute.wheels import download_wheels
from components.blocks.http.api_domain import Domain
from components.blocks.http.http_api import Audience
from components.blocks.observe.notifications import Notifications
from components.product_api import KINDS, JobDefaults, ProductApi, ProductApiArgs
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from settings import host_architecture, host_runtime, load_settings

ROOT = Path(__file__).parent

settings = load_settings()
version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

on_host = settings.functions.runtime == "host"
runtime = host_runtime() if on_host else settings.functions.runtime
architecture = host_architecture() if on_host else settings.functions.architecture

notifications = Notifications("notifications", settings.notify_emails) if settings.notify_emails else None

layer = dependency_layer("handlers", ROOT / "requirements" / "layer.txt", runtime, architecture, for_host=on_host)
functions = FunctionDefaults(
    runtime=runtime,
    architecture=architecture,
    layers=[layer.arn],
    notify=[notifications.arn] if notifications else [],
    **settings.functions.given("log_retention_days", "log_level", "tracing"),
)

sentiment_args = SentimentPipelineArgs(functions=functions, protect=settings.protect, **settings.sentiment.given())
sentiment = SentimentPipeline("sentiment", sentiment_args)

jobs, api = settings.jobs, settings.api
product_args = ProductApiArgs(
    functions=functions,
    companies=sentiment.companies,
    observations=sentiment.observations,
    jobs=JobDefaults(
        image=jobs.image or prebuilt_image(jobs.image_name, jobs.image_version, aws.config.region or ""),
        # The embedded AWS runs jobs with this machine's Python, which has the packages.
        wheels=None if on_host else download_wheels(ROOT / "requirements" / "batch.txt", jobs.python_version),
        isolated_translation=jobs.isolated_translation,
        schedules={
            kind: [
                JobSchedule(one.label, one.schedule, one.project, one.options_json, one.channels)
                for one in jobs.schedules
                if one.kind == kind
            ]
            for kind in KINDS
        },
        **jobs.given("instance_type", "instance_count", "volume_gb", "time_limit_seconds"),
    ),
    version=version,
    audience=Audience(api.issuer, api.audience) if api.issuer else None,
    sign_in=SignIn(
        **api.given(
            "self_registration", "mfa", "callback_urls", "logout_urls", "firewall", sign_in_prefix="domain_prefix"
        )
    ),
    domain=Domain(api.domain, **api.given("certificate_arn", hosted_zone_id="zone_id")) if api.domain else None,
    announce=notifications,
    protect=settings.protect,
    **api.given("origins"),
)
throttles = {
    "throttle": api.given(requests_per_second="per_second", burst="burst"),
    "costly_throttle": api.given(costly_requests_per_second="per_second", costly_burst="burst"),
}
product = ProductApi(
    "product",
    replace(product_args, **{name: replace(getattr(product_args, name), **given) for name, given in throttles.items()}),
)
users = product.api.users

pulumi.export("region", aws.config.region)
pulumi.export("schedule", sentiment_args.schedule if sentiment_args.scheduled else "off")
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
pulumi.export("issuer", users.issuer if users else api.issuer or "")
pulumi.export("user_pool", users.id if users else "")
pulumi.export("command_line_client", users.command_line_client_id if users else "")
pulumi.export("web_client", (users.web_client_id if users else None) or "")
pulumi.export("sign_in_domain", users.domain if users else "")

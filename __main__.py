"""Cloud NLP: settings in, components wired, outputs exported."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.batch_job_workflow import BatchJobWorkflow, BatchJobWorkflowArgs, JobSchedule
from components.blocks.access.federation import IdentityProvider
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.image_lock import locked_image
from components.blocks.compute.layer import dependency_layer
from components.blocks.compute.sagemaker_images import image_warnings, prebuilt_image
from components.blocks.compute.wheels import download_wheels
from components.blocks.former import former_product_api
from components.blocks.observe.budget import Budget
from components.blocks.observe.notifications import Notifications
from components.blocks.workflow.job_role import service_permissions
from components.blocks.workflow.program import BatchProgram, program_files
from components.document_store import DocumentStore, DocumentStoreArgs
from components.nlp_api import NlpApi, NlpApiArgs
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from schema.job_kind import JobKind
from schema.jobs import IMPORTED_BY_NAME, KINDS
from schema.quotas import Quotas
from settings import (
    IdentityProviderSettings,
    default_tags,
    host_architecture,
    host_runtime,
    load_settings,
)

ROOT = Path(__file__).parent

settings = load_settings()
for warning in settings.api.warnings():
    pulumi.warn(warning)
version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

on_host = settings.functions.runtime == "host"
runtime = host_runtime() if on_host else settings.functions.runtime
architecture = host_architecture() if on_host else settings.functions.architecture

notifications = Notifications("notifications", emails=settings.notify_emails) if settings.notify_emails else None
alarm_topics = [notifications.arn] if notifications else []

tags = default_tags()
if settings.budget.monthly_usd and settings.notify_emails:
    Budget("budget", monthly_usd=settings.budget.monthly_usd, tags=tags, emails=settings.notify_emails)
elif settings.budget.monthly_usd:
    pulumi.log.warn("budget.monthly_usd has no effect without notify_emails, which its warnings are sent to")

layer = dependency_layer(
    "handlers",
    requirements=ROOT / "requirements" / "layer.txt",
    runtime=runtime,
    architecture=architecture,
    for_host=on_host,
)
functions = FunctionDefaults(
    runtime=runtime,
    architecture=architecture,
    layers=[layer.arn],
    alarm_topics=alarm_topics,
    **settings.functions.given("log_retention_days", "log_level", "tracing"),
)

watch_list = [line for line in (ROOT / "companies.txt").read_text().splitlines() if line and not line.startswith("#")]
pipeline_args = SentimentPipelineArgs(
    functions=functions,
    protect=settings.protect,
    version=version,
    **{"expected_companies": len(watch_list), **settings.sentiment.given(), "contact": settings.contact},
)
pipeline = SentimentPipeline("sentiment", pipeline_args)

quotas = Quotas(**settings.quotas.given())
# Stacks of version 0.1.0 have the following resources inside a component `ProductApi`.
store = DocumentStore(
    "product",
    DocumentStoreArgs(
        functions=functions,
        upload_origins=settings.api.origins,
        quotas=quotas,
        protect=settings.protect,
        **settings.documents.given(),
        **settings.jobs.given("result_retention_days"),
    ),
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="cloud-nlp:index:ProductApi")]),
)
moved = pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=former_product_api("product"))])

jobs = settings.jobs
# The embedded AWS runs jobs with this machine's Python, which has the packages.
wheels = None if on_host else download_wheels(ROOT / "requirements" / "batch.txt", jobs.python_version)
program = BatchProgram(
    "product-program",
    bucket=store.files,
    files=program_files("handlers/batch/run.py", wheels, imported_by_name=IMPORTED_BY_NAME),
    opts=moved,
)
image = locked_image(jobs.image or prebuilt_image(jobs.image_name, jobs.image_version, aws.config.region or ""))
if not on_host:
    for warning in image_warnings(image, datetime.now(UTC).date()):
        pulumi.log.warn(warning)


def workflow(name: str, kind: JobKind) -> BatchJobWorkflow:
    """Make the workflow of a kind of job."""
    isolated = kind.can_be_isolated and jobs.isolated_translation
    return BatchJobWorkflow(
        f"product-{name}",
        BatchJobWorkflowArgs(
            kind=name,
            table=store.documents,
            bucket=store.files,
            program=program,
            image=image,
            inputs=kind.channels,
            network_isolation=isolated,
            permissions=[] if isolated else service_permissions(kind),
            schedules=[
                JobSchedule(
                    one.label,
                    expression=one.schedule,
                    project=one.project,
                    options=one.options_json,
                    fields=one.channels,
                    max_characters=one.max_characters,
                )
                for one in jobs.schedules
                if one.kind == name
            ],
            job_topic=notifications,
            tags=tags,
            log_retention_days=functions.log_retention_days,
            tracing=functions.tracing,
            alarm_topics=alarm_topics,
            **jobs.given("instance_type", "instance_count", "volume_gb", "time_limit_seconds", "max_characters"),
        ),
        opts=moved,
    )


workflows = {name: workflow(name, kind) for name, kind in KINDS.items()}


def identity_provider(one: IdentityProviderSettings) -> IdentityProvider:
    """Pass on a provider's settings; its secret is encrypted in Pulumi's state."""
    secret = one.client_secret
    secrets = {"client_secret": pulumi.Output.secret(secret.get_secret_value())} if secret else {}
    return IdentityProvider(**{**one.given(), **secrets})


api = NlpApi(
    "product-api",
    NlpApiArgs(
        functions=functions,
        store=store,
        pipeline=pipeline,
        machines={kind: one.machine for kind, one in workflows.items()},
        version=version,
        isolated_translation=jobs.isolated_translation,
        quotas=quotas,
        protect=settings.protect,
        **jobs.given("max_characters"),
        **{
            **settings.api.given(),
            "identity_providers": [identity_provider(one) for one in settings.api.identity_providers],
        },
    ),
)
users = api.users

pulumi.export("region", aws.config.region)
pulumi.export("schedule", pipeline_args.schedule if pipeline_args.scheduled else "off")
pulumi.export("companies_that_fit", str(pipeline.limits.companies_that_fit or ""))
pulumi.export("companies_table", pipeline.companies.name)
pulumi.export("observations_table", pipeline.observations.name)
pulumi.export("results_bucket", pipeline.results.name)
pulumi.export("work_queue_url", pipeline.work.url)
pulumi.export("dead_letter_queue_url", pipeline.work.dead_letter_url)
pulumi.export("dispatch_function", pipeline.dispatch.name)
pulumi.export("dispatch_failures_queue_url", pipeline.dispatch.failures_url)
pulumi.export("analyse_function", pipeline.analyse.name)

pulumi.export("api_url", api.url)
pulumi.export("documents_table", store.documents.name)
pulumi.export("documents_bucket", store.files.name)
pulumi.export("state_machines", {kind: one.machine.arn for kind, one in workflows.items()})
pulumi.export("issuer", users.issuer if users else settings.api.issuer or "")
pulumi.export("user_pool", users.id if users else "")
pulumi.export("command_line_client", users.command_line_client_id if users else "")
pulumi.export("web_client", (users.web_client_id if users else None) or "")
pulumi.export("sign_in_domain", users.domain if users else "")

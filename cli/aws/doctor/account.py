"""Checks of the AWS account: who calls, what the region has, and what the account allows."""

from __future__ import annotations

import re
from typing import Any

from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from schema.defaults import ANALYSE_CONCURRENCY, INSTANCE_COUNT, INSTANCE_TYPE

# Functions that have to be able to run besides the batches of companies: dispatch, and some requests of the API.
SPARE_FUNCTIONS = 5
# Accounts get this many in the end; new ones start with 10.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
USUAL_FUNCTIONS = 1000
CONCURRENCY_QUOTA = "L-B99A9384"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
# Services that some regions lack, by the name of their clients.
_SERVICES = {
    "apigatewayv2": "Amazon API Gateway",
    "cognito-idp": "Amazon Cognito",
    "comprehend": "Amazon Comprehend",
    "lambda": "AWS Lambda",
    "sagemaker": "Amazon SageMaker",
    "stepfunctions": "AWS Step Functions",
    "translate": "Amazon Translate",
}


def credentials(around: Surroundings) -> Finding:
    """Find out who calls AWS."""
    identity = around.client("sts").get_caller_identity()
    around.account, around.caller_arn = identity["Account"], identity["Arn"]
    message = f"{around.caller_arn}"
    if re.fullmatch(r"arn:aws[\w-]*:iam::\d+:root", around.caller_arn) and not around.settings.is_local:
        return Finding(
            "credentials",
            "warning",
            f"{message}: the account's root user",
            "Deploy with a role that has the policy of `nlp doctor --policy`; keep the root user for emergencies.",
        )
    return Finding("credentials", "ok", message)


def region(around: Surroundings) -> Finding:
    """Check that the region has all services."""
    import boto3

    name = around.settings.region
    if not name:
        return Finding(
            "region",
            "failed",
            "the stack sets no region",
            f"pulumi config set --stack {around.settings.stack} aws:region eu-central-1",
        )
    session = boto3.Session()
    lacking = [title for service, title in _SERVICES.items() if name not in session.get_available_regions(service)]
    if lacking:
        return Finding(
            "region",
            "failed",
            f"{name} does not have {', '.join(lacking)}",
            "Choose another region: https://aws.amazon.com/about-aws/global-infrastructure/regional-product-services/",
        )
    return Finding("region", "ok", f"{name} has all services")


def lambda_concurrency(around: Surroundings) -> Finding:
    """Check that the account lets the pipeline and the API run functions at the same time."""
    limit = int(around.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    batches = int(around.settings.value("sentiment", "analyse_concurrency", ANALYSE_CONCURRENCY))
    name, room = "Lambda concurrency", limit - batches
    found = f"the account runs {limit:,} functions at a time, of which sentiment.analyse_concurrency takes {batches}"
    raising = f"Ask for {USUAL_FUNCTIONS:,}: Service Quotas, AWS Lambda, Concurrent executions ({CONCURRENCY_QUOTA})."
    if room < SPARE_FUNCTIONS:
        fitting = limit - SPARE_FUNCTIONS
        lowering = f"Set sentiment.analyse_concurrency to {fitting} or less. " if fitting >= ANALYSE_CONCURRENCY else ""
        return Finding(name, "failed", f"{found}, so that the API's requests fail", lowering + raising)
    if limit < USUAL_FUNCTIONS / 10:
        return Finding(name, "warning", f"{found}: enough for a start, not for many users", raising)
    return Finding(name, "ok", found)


def processing_quota(around: Surroundings) -> Finding:
    """Check that the account's quota lets a job start."""
    instance = str(around.settings.value("jobs", "instance_type", INSTANCE_TYPE))
    count = int(around.settings.value("jobs", "instance_count", INSTANCE_COUNT))
    name, quota = "SageMaker quota", f"{instance} for processing job usage"
    found = _quota(around, quota)
    if found is None:
        return Finding(
            name,
            "warning",
            f"Service Quotas knows no quota '{quota}'",
            "Check the spelling of jobs.instance_type, and the types of the region.",
        )
    value = int(found["Value"])
    if value < count:
        return Finding(
            name,
            "failed",
            f"'{quota}' is {value}, and a job needs {count}",
            f"aws service-quotas request-service-quota-increase --region {around.settings.region} "
            f"--service-code sagemaker --quota-code {found['QuotaCode']} --desired-value {max(count, 2)}",
        )
    return Finding(name, "ok", f"'{quota}' is {value}, and a job needs {count}")


def _quota(around: Surroundings, name: str) -> dict[str, Any] | None:
    pages = around.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    return next((quota for page in pages for quota in page["Quotas"] if quota["QuotaName"] == name), None)


def budget(around: Surroundings) -> Finding:
    """Check that a person hears of rising costs: through the stack's own budget, or another one of the account."""
    limit = around.settings.value("budget", "monthly_usd")
    if limit and around.settings.top("notify_emails", []):
        return Finding("budget", "ok", f"the stack makes one of {limit} USD a month")
    budgets = around.client("budgets").describe_budgets(AccountId=around.account).get("Budgets", [])
    if budgets:
        return Finding("budget", "ok", f"the account has {len(budgets)}")
    return Finding(
        "budget",
        "warning",
        "no budget warns of rising costs",
        "Set budget.monthly_usd and notify_emails, or make a budget for the account: "
        "https://console.aws.amazon.com/costmanagement/home#/budgets",
    )


def job_logs(around: Surroundings) -> Finding:
    """Check that the log of batch jobs, which is one for the account and region, does not grow for ever."""
    groups = around.client("logs").describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == LOG_GROUP), None)
    days = around.settings.log_days
    if found is None:
        return Finding("job logs", "ok", f"{LOG_GROUP} is not there yet; `nlp deploy` makes it with {days} days")
    if "retentionInDays" in found:
        return Finding("job logs", "ok", f"{LOG_GROUP} keeps {found['retentionInDays']} days")
    return Finding(
        "job logs",
        "warning",
        f"{LOG_GROUP} keeps everything for ever, names of documents included",
        f"aws logs put-retention-policy --region {around.settings.region} --log-group-name {LOG_GROUP} "
        f"--retention-in-days {days}",
    )

"""Objects of one sort, with the permissions for another: whoever is to write documents cannot write results."""

from __future__ import annotations

import re

import pytest

from handlers.common.ids import new_id
from local.deploy.stack import LocalStack
from schema import projects
from schema.templates import fill
from tests.integration.roles import Roles

PROJECT, DOCUMENT, JOB = new_id(), new_id(), new_id()
FORMER = fill(projects.FORMER_RESULTS_PREFIX, project=PROJECT, job=JOB)
RESULTS = projects.results_prefix(PROJECT, JOB)
# One object of each sort and more; results have folders whose names a document's prefix has, too.
OBJECTS = {
    "documents": [projects.document_object(PROJECT, DOCUMENT, "a.txt")],
    "results": [
        f"{RESULTS}report.json",
        f"{RESULTS}documents/{DOCUMENT}/a.txt",
        f"{RESULTS}projects/{PROJECT}/documents/{DOCUMENT}/a.txt",
    ],
    "former results": [f"{FORMER}report.json", f"{FORMER}documents/{DOCUMENT}/a.txt"],
    "models": [f"{projects.model_prefix('opus-mt-en-de')}config.json"],
    "programs": [f"{projects.PROGRAMS_PREFIX}0123abcd/program.zip"],
    "others": [f"projects/{PROJECT}/x/documents/{DOCUMENT}/a.txt", "projects/a/documents/b/c.txt", "documents/a.txt"],
}
ACTIONS = ("GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion")
READS = {"GetObject documents", "GetObject programs"}
# What the functions and jobs of the product may do with objects. All others may do nothing with them.
EXPECTED = {
    "product-withdraw": {"DeleteObjectVersion documents"},
    "product-api-documents-create": {"PutObject documents"},
    "product-api-document-delete": {"DeleteObject documents"},
    "product-api-job-results": {"GetObject results", "GetObject former results"},
    # Reports of jobs tell what counts towards quotas.
    "product-api-jobs-create": {"GetObject results"},
    "product-api-quotas-get": {"GetObject results"},
    "product-analyse-job": {*READS, "PutObject results"},
    "product-translate-job": {*READS, "GetObject models", "PutObject results"},
}


@pytest.fixture(scope="module")
def roles(stack: LocalStack) -> dict[str, str]:
    """ARNs of all roles of the product, by what the program calls them."""
    iam = stack.aws.client("iam")
    made = {one.name: one.id for one in stack.deployment.resources if one.type == "aws:iam/role:Role"}
    return {name: iam.get_role(RoleName=role)["Role"]["Arn"] for name, role in made.items()}


def may(stack: LocalStack, role: str) -> set[str]:
    """What a role may do with objects of the bucket, as `<action> <sort of object>`."""
    iam, bucket = stack.aws.client("iam"), stack.outputs["documents_bucket"]
    allowed = set()
    for sort, keys in OBJECTS.items():
        for key in keys:
            answer = iam.simulate_principal_policy(
                PolicySourceArn=role,
                ActionNames=[f"s3:{action}" for action in ACTIONS],
                ResourceArns=[f"arn:aws:s3:::{bucket}/{key}"],
            )
            results = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
            assert len(results) == len(ACTIONS)
            allowed |= {f"{action.removeprefix('s3:')} {sort}" for action in results if results[action] == "allowed"}
    return allowed


def test_each_role_reaches_the_objects_that_it_is_for_and_no_others(stack: LocalStack, roles: dict[str, str]) -> None:
    found = {name: allowed for name, role in roles.items() if (allowed := may(stack, role))}
    assert found == EXPECTED


LISTED = {
    "product-api-documents-list": {"documents"},
    "product-api-jobs-create": {"documents", "models", "results"},
    "product-api-job-results": {"results", "former results"},
    "product-api-quotas-get": {"results"},
    "product-analyse-job": {"documents", "programs"},
    "product-translate-job": {"documents", "models", "programs"},
}


def test_each_role_lists_the_objects_that_it_is_for_and_no_others(stack: LocalStack) -> None:
    roles = Roles(stack)
    found: dict[str, set[str]] = {}
    for name in roles.names:
        for grant in roles.granted(name):
            if grant.action == "s3:ListBucket" and stack.outputs["documents_bucket"] in grant.resources[0]:
                pattern = re.escape(grant.prefix).replace(r"\*", ".*").replace(r"\?", ".")
                listed = {sort for sort, keys in OBJECTS.items() if any(re.fullmatch(pattern, key) for key in keys)}
                found.setdefault(name, set()).update(listed)
    assert found == LISTED

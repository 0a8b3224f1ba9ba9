"""Roles of a deployment: what each is granted, one piece at a time, and what the embedded AWS does not ask them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.deploy.stack import LocalStack

# What the embedded AWS carries out without asking the role: by who takes the role on, patterns of grants.
NOT_ASKED = {
    "lambda.amazonaws.com": {
        "logs:CreateLogStream": "Lambda writes a function's log",
        "logs:PutLogEvents": "Lambda writes a function's log",
        "xray:PutTraceSegments": "Lambda sends a function's traces",
        "xray:PutTelemetryRecords": "Lambda sends a function's traces",
        "sqs:ReceiveMessage": "Lambda's event source reads the queue",
        "sqs:DeleteMessage": "Lambda's event source deletes what was done",
        "sqs:GetQueueAttributes of sentiment-analyse": "Lambda's event source looks at the queue",
        "sqs:SendMessage on *-failures-*": "Lambda sends failed asynchronous invocations",
    },
    "states.amazonaws.com": {
        "logs:*": "Step Functions delivers the log of executions; the embedded one writes none",
        "xray:*": "Step Functions sends traces; the embedded one has none",
        "sagemaker:ListTags": "Step Functions looks at the tags of a job; the embedded one has no need to",
        "kms:Decrypt": "SNS encrypts messages with the publisher's permission; the embedded one encrypts none",
        "kms:GenerateDataKey": "SNS encrypts messages with the publisher's permission; the embedded one encrypts none",
    },
    "sagemaker.amazonaws.com": {
        "logs:DescribeLogStreams": "SageMaker looks for its streams; the embedded one knows them",
        "cloudwatch:PutMetricData": "SageMaker sends metrics of instances; the embedded one measures none",
        "ecr:*": "SageMaker pulls the image; the embedded one uses this machine's Python",
    },
    "events.amazonaws.com": {},
}


@dataclass(frozen=True)
class Grant:
    """The smallest thing that can be taken away from a role: an action on a resource, for listing on a prefix.

    Attributes
    ----------
    role
        As the program calls it.
    policy, position
        Where the statement is.
    action
        Of the statement.
    resources
        One ARN; or two that are the same thing, with and without `:*`.
    prefix
        Of `s3:prefix`, where the statement has such a condition.
    """

    role: str
    policy: str
    position: int
    action: str
    resources: tuple[str, ...]
    prefix: str

    def __str__(self) -> str:
        text = f"{self.action} on {self.resources[0]}"
        return f"{text} below {self.prefix}" if self.prefix else text


class Roles:
    """The roles of a deployment and their policies.

    Attributes
    ----------
    names
        Physical names, by what the program calls them.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._iam = stack.aws.client("iam")
        made = [one for one in stack.deployment.resources if one.type == "aws:iam/role:Role"]
        self.names = {one.name: one.id for one in made}

    def arn(self, role: str) -> str:
        return self._iam.get_role(RoleName=self.names[role])["Role"]["Arn"]

    def service(self, role: str) -> str:
        """Who may take a role on."""
        document = self._iam.get_role(RoleName=self.names[role])["Role"]["AssumeRolePolicyDocument"]
        [statement] = document["Statement"]
        return statement["Principal"]["Service"]

    def granted(self, role: str) -> list[Grant]:
        return [grant for name, document in self._policies(role).items() for grant in _grants(role, name, document)]

    def asked(self, role: str) -> list[Grant]:
        """What a role is granted and the embedded AWS asks for."""
        return [grant for grant in self.granted(role) if not self.patterns(grant)]

    def patterns(self, grant: Grant) -> list[str]:
        """The patterns of `NOT_ASKED` that a grant matches."""
        return [
            pattern for pattern in NOT_ASKED[self.service(grant.role)] if fnmatchcase(_as_in(pattern, grant), pattern)
        ]

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Take one grant out of its policy for as long as the context lasts."""
        document = self._policies(grant.role)[grant.policy]
        statements = list(document["Statement"])
        statements[grant.position : grant.position + 1] = _rest(statements[grant.position], grant)
        self._put(grant, {**document, "Statement": statements})
        try:
            yield
        finally:
            self._put(grant, document)

    def _policies(self, role: str) -> dict[str, dict[str, Any]]:
        name = self.names[role]
        policies = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
        return {one: self._iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in policies}

    def _put(self, grant: Grant, document: dict[str, Any]) -> None:
        where = {"RoleName": self.names[grant.role], "PolicyName": grant.policy}
        if document["Statement"]:
            self._iam.put_role_policy(**where, PolicyDocument=json.dumps(document))
        else:
            self._iam.delete_role_policy(**where)


def _as_in(pattern: str, grant: Grant) -> str:
    """Describe a grant as a pattern does: an action, an action on a resource, or an action of a role."""
    if " on " in pattern:
        return str(grant)
    return f"{grant.action} of {grant.role}" if " of " in pattern else grant.action


def _grants(role: str, policy: str, document: dict[str, Any]) -> Iterator[Grant]:
    for position, statement in enumerate(document["Statement"]):
        for action in statement["Action"]:
            for resources in _things(statement["Resource"]):
                for prefix in _prefixes(statement):
                    yield Grant(role, policy, position, action, resources, prefix)


def _things(resources: list[str]) -> list[tuple[str, ...]]:
    """Each resource by itself, but a log group with all in it."""
    if len(resources) == 2 and resources[1] == f"{resources[0]}:*":
        return [tuple(resources)]
    return [(resource,) for resource in resources]


def _prefixes(statement: dict[str, Any]) -> list[str]:
    found = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
    return found if isinstance(found, list) else [found]


def _rest(statement: dict[str, Any], taken: Grant) -> Iterator[dict[str, Any]]:
    """What is left of a statement: the other actions, and the same one on other resources and prefixes."""
    if others := [action for action in statement["Action"] if action != taken.action]:
        yield {**statement, "Action": others}
    same = {**statement, "Action": [taken.action]}
    if others := [resource for resource in statement["Resource"] if resource not in taken.resources]:
        yield {**same, "Resource": others}
    if others := [prefix for prefix in _prefixes(statement) if prefix != taken.prefix]:
        yield {**same, "Condition": {"StringLike": {"s3:prefix": others}}}

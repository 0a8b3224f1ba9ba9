"""The doctor's checks of how the stack reaches others, and is reached: contact, mail and domain."""

from __future__ import annotations

from typing import Any

import pytest

from cli.aws.doctor import reach
from cli.aws.doctor.checks import run_check
from cli.aws.doctor.surroundings import Surroundings
from cli.aws.stack_settings import StackSettings
from tests.support.doctor import Service, around, finding_of, status_of

IDENTITY = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({}, "warning"),
        ({"sentiment": {"contact": "ops@example.com"}}, "ok"),
        ({"notify_emails": ["you@example.com"]}, "ok"),
        ({"notify_emails": ["(you)@example.com"]}, "warning"),
        ({"notify_emails": ["(you)@example.com", "you@example.com"]}, "ok"),
        ({"sentiment": {"text_source_url": "https://texts.example.com"}}, "ok"),
        ({"sentiment": {"text_source_url": "https://de.wikipedia.org"}}, "warning"),
    ],
)
def test_wikipedia_is_given_a_contact(groups: dict[str, Any], expected: str) -> None:
    assert status_of(reach.contact, around(**groups)) == expected


def test_somebody_is_told_of_alarms() -> None:
    assert status_of(reach.alarms, around(notify_emails=["you@example.com"])) == "ok"
    assert status_of(reach.alarms, around()) == "warning"


def test_mail_of_cognito_itself_is_little() -> None:
    found = finding_of(reach.mail, around())
    assert (found.status, "50 e-mails a day" in found.message) == ("warning", True)
    assert status_of(reach.mail, around(api={"issuer": "https://login.example.com"})) == "ok"


@pytest.mark.parametrize(
    ("sandbox", "sending", "verified", "expected"),
    [
        (False, True, True, ["ok", "ok"]),
        (True, True, True, ["failed", "ok"]),
        (False, False, True, ["failed", "ok"]),
        (False, True, False, ["ok", "failed"]),
    ],
)
def test_mail_through_ses_needs_production_access_and_a_verified_identity(
    sandbox: bool, sending: bool, verified: bool, expected: list[str]
) -> None:
    ses = Service(
        get_account={"ProductionAccessEnabled": not sandbox, "SendingEnabled": sending},
        get_email_identity={"VerifiedForSendingStatus": verified},
    )
    asked: list[tuple[str, str]] = []

    def client(service: str, region: str) -> Service:
        asked.append((service, region))
        return ses

    settings = StackSettings("dev", {"aws:region": "eu-central-1", "cloud-nlp:api": {"mail_identity_arn": IDENTITY}})
    assert [found.status for found in reach.mail(Surroundings(settings, client))] == expected
    assert asked == [("sesv2", "eu-west-1")], "the identity's own region"
    assert ses.requests[-1] == {"EmailIdentity": "example.com"}


ISSUED = {"DomainName": "api.example.com", "Status": "ISSUED"}


@pytest.mark.parametrize(
    ("api", "zone", "certificate", "expected"),
    [
        ({}, None, None, ["ok"]),
        ({"domain": "api.example.com"}, None, None, ["failed"]),
        ({"domain": "api.example.com", "hosted_zone_id": "Z1"}, {"Name": "example.com."}, None, ["ok"]),
        ({"domain": "api.example.com", "hosted_zone_id": "Z1"}, {"Name": "example.org."}, None, ["failed"]),
        ({"domain": "api.notexample.com", "hosted_zone_id": "Z1"}, {"Name": "example.com."}, None, ["failed"]),
        (
            {"domain": "api.example.com", "hosted_zone_id": "Z1"},
            {"Name": "example.com.", "Config": {"PrivateZone": True}},
            None,
            ["failed"],
        ),
        ({"domain": "api.example.com", "certificate_arn": CERTIFICATE}, None, ISSUED, ["ok"]),
        (
            {"domain": "api.example.com", "certificate_arn": CERTIFICATE},
            None,
            {**ISSUED, "DomainName": "example.com", "SubjectAlternativeNames": ["*.example.com"]},
            ["ok"],
        ),
        (
            {"domain": "api.example.com", "certificate_arn": CERTIFICATE},
            None,
            {**ISSUED, "Status": "PENDING_VALIDATION"},
            ["failed"],
        ),
        (
            {"domain": "api.example.com", "certificate_arn": CERTIFICATE},
            None,
            {**ISSUED, "DomainName": "other.example.com"},
            ["failed"],
        ),
        (
            {"domain": "api.example.com", "certificate_arn": CERTIFICATE.replace("eu-central-1", "us-east-1")},
            None,
            ISSUED,
            ["failed"],
        ),
    ],
)
def test_domain_can_be_proven(
    api: dict[str, str], zone: dict[str, Any] | None, certificate: dict[str, Any] | None, expected: list[str]
) -> None:
    services = {
        "route53": Service(get_hosted_zone={"HostedZone": zone}),
        "acm": Service(describe_certificate={"Certificate": certificate}),
    }
    found = run_check("domain", reach.domain, around(services, api=api))
    assert [each.status for each in found] == expected
    assert all(each.advice for each in found if each.status == "failed")

"""Checks of how the stack reaches others, and is reached: text source, mail and domain."""

from __future__ import annotations

from typing import Any

from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from schema.wikipedia import first_contact, is_wikipedia


def contact(around: Surroundings) -> Finding:
    """Check that the operators of Wikipedia can tell whose requests they get."""
    settings, name = around.settings, "contact"
    if not is_wikipedia(settings.value("sentiment", "text_source_url")):
        return Finding(name, "ok", "the stack has a text source of its own")
    addresses = (settings.value("sentiment", "contact"), *settings.top("notify_emails", []))
    if given := first_contact(addresses):
        return Finding(name, "ok", f"{given} is sent to Wikipedia: 200 requests a minute")
    return Finding(
        name,
        "warning",
        "Wikipedia is sent no contact, and so answers 10 requests a minute in place of 200",
        f"pulumi config set --stack {settings.stack} --path cloud-nlp:sentiment.contact you@example.com",
    )


def alarms(around: Surroundings) -> Finding:
    """Check that alarms reach a person."""
    emails = around.settings.top("notify_emails", [])
    if emails:
        message = f"{', '.join(emails)}; each address has to confirm a message after the first deployment"
        return Finding("alarms", "ok", message)
    return Finding(
        "alarms",
        "warning",
        "alarms are sent to nobody",
        f"pulumi config set --stack {around.settings.stack} --path 'cloud-nlp:notify_emails[0]' you@example.com",
    )


def mail(around: Surroundings) -> list[Finding]:
    """Check that invitations and passwords reach people."""
    settings, name = around.settings, "mail"
    if settings.value("api", "issuer"):
        return [Finding(name, "ok", "accounts are with api.issuer, which sends its own mail")]
    identity = settings.value("api", "mail_identity_arn")
    if not identity:
        return [
            Finding(
                name,
                "warning",
                "Cognito sends at most 50 e-mails a day, from an address of AWS",
                "Verify an identity in Amazon SES, and set api.mail_identity_arn and api.mail_from.",
            )
        ]
    parts = str(identity).split(":")
    region, address = parts[3], parts[-1].removeprefix("identity/")
    client = around.client("sesv2", region)
    return [_sandbox(client, region), _identity(client, address)]


def _sandbox(client: Any, region: str) -> Finding:
    account = client.get_account()
    if not account.get("ProductionAccessEnabled"):
        return Finding(
            "mail",
            "failed",
            f"Amazon SES is in its sandbox in {region}: it sends to verified addresses only",
            "Ask for production access: https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html",
        )
    if not account.get("SendingEnabled"):
        advice = "See the account dashboard of Amazon SES for the reason."
        return Finding("mail", "failed", "Amazon SES has stopped sending for this account", advice)
    return Finding("mail", "ok", f"Amazon SES is out of its sandbox in {region}")


def _identity(client: Any, address: str) -> Finding:
    if client.get_email_identity(EmailIdentity=address).get("VerifiedForSendingStatus"):
        return Finding("mail identity", "ok", f"{address} is verified")
    advice = "Follow the message that SES sent to the address, or enter its DNS records for the domain."
    return Finding("mail identity", "failed", f"{address} is not verified in Amazon SES", advice)


def domain(around: Surroundings) -> list[Finding]:
    """Check that the API's domain can be made, and proven."""
    settings = around.settings
    host = settings.value("api", "domain")
    if not host:
        return [Finding("domain", "ok", "none: the API has an address of AWS")]
    findings = []
    if zone := settings.value("api", "hosted_zone_id"):
        findings.append(_hosted_zone(around, str(host), str(zone)))
    if certificate := settings.value("api", "certificate_arn"):
        findings.append(_certificate(around, str(host), str(certificate)))
    return findings or [
        Finding("domain", "failed", f"nothing proves {host}", "Set api.hosted_zone_id or api.certificate_arn.")
    ]


def _hosted_zone(around: Surroundings, host: str, zone: str) -> Finding:
    found = around.client("route53").get_hosted_zone(Id=zone)["HostedZone"]
    name = found["Name"].rstrip(".")
    if found.get("Config", {}).get("PrivateZone"):
        return Finding("domain", "failed", f"zone {zone} is private", "Name a public hosted zone.")
    if host == name or host.endswith(f".{name}"):
        return Finding("domain", "ok", f"{host} is in zone {name}")
    return Finding("domain", "failed", f"{host} is not in zone {zone}, {name}", "Name the zone of the domain.")


def _certificate(around: Surroundings, host: str, arn: str) -> Finding:
    region, wanted = arn.split(":")[3], around.settings.region
    if region != wanted:
        advice = f"Issue one in {wanted}: API Gateway takes certificates of its own region only."
        return Finding("certificate", "failed", f"the certificate is in {region}", advice)
    found = around.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    names = {found.get("DomainName", ""), *found.get("SubjectAlternativeNames", [])}
    if not names & {host, f"*.{host.partition('.')[2]}"}:
        return Finding("certificate", "failed", f"the certificate is not for {host}", "Issue one for the domain.")
    if found.get("Status") != "ISSUED":
        advice = "Enter the DNS records that AWS Certificate Manager shows."
        return Finding("certificate", "failed", f"the certificate is {found.get('Status')}, not ISSUED", advice)
    return Finding("certificate", "ok", f"the certificate for {host} is issued")

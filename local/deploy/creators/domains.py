"""Certificates and DNS records of custom domains."""

from __future__ import annotations

from typing import Any

from local.deploy.creators.common import Context, Created, Creator, Inputs, parts, spelled


def _certificate(context: Context, inputs: Inputs) -> Created:
    certificates = context.client("acm")
    arn = certificates.request_certificate(**parts(inputs, "domainName", "validationMethod"))["CertificateArn"]
    described = certificates.describe_certificate(CertificateArn=arn)["Certificate"]
    return arn, {"arn": arn, "domainValidationOptions": [_proof(one) for one in described["DomainValidationOptions"]]}


def _proof(option: dict[str, Any]) -> dict[str, str]:
    record = option["ResourceRecord"]
    return {
        "domainName": option["DomainName"],
        "resourceRecordName": record["Name"],
        "resourceRecordType": record["Type"],
        "resourceRecordValue": record["Value"],
    }


def _certificate_validation(context: Context, inputs: Inputs) -> Created:
    # Pulumi makes nothing here either: it waits until the certificate has been issued.
    context.client("acm").get_waiter("certificate_validated").wait(CertificateArn=inputs["certificateArn"])
    return inputs["certificateArn"], {}


def _record(context: Context, inputs: Inputs) -> Created:
    made = {"Name": inputs["name"], "Type": inputs["type"]}
    if inputs.get("records"):
        made |= {"TTL": int(inputs["ttl"]), "ResourceRecords": [{"Value": value} for value in inputs["records"]]}
    for alias in inputs.get("aliases") or []:
        made["AliasTarget"] = spelled(alias, name="DNSName", zoneId="HostedZoneId")
    context.client("route53").change_resource_record_sets(
        HostedZoneId=inputs["zoneId"], ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": made}]}
    )
    return f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}", {"fqdn": inputs["name"].rstrip(".")}


CREATORS: dict[str, Creator] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
    "aws:route53/record:Record": _record,
}

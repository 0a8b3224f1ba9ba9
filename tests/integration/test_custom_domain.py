"""A custom domain, with its certificate and records, beside the product's usual deployment."""

from __future__ import annotations

from local.stack import LocalStack, deploy_to


def test_a_domain_gets_its_certificate_and_its_records(stack: LocalStack) -> None:
    records = stack.aws.client("route53")
    zone = records.create_hosted_zone(Name="example.com", CallerReference="custom domain")["HostedZone"]["Id"]
    zone_id = zone.rpartition("/")[2]

    deployed = deploy_to(stack.aws, {"api": {"domain": "api.example.com", "hosted_zone_id": zone_id}})

    assert deployed.outputs["api_url"] == "https://api.example.com"
    found = {one["Name"]: one for one in records.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]}
    [domain] = stack.aws.client("apigatewayv2").get_domain_names()["Items"]
    [configuration] = domain["DomainNameConfigurations"]
    alias = found["api.example.com."]["AliasTarget"]
    assert alias["DNSName"].rstrip(".") == configuration["ApiGatewayDomainName"]
    assert alias["HostedZoneId"] == configuration["HostedZoneId"]
    certificate = stack.aws.client("acm").describe_certificate(CertificateArn=configuration["CertificateArn"])
    [option] = certificate["Certificate"]["DomainValidationOptions"]
    proof = found[f"{option['ResourceRecord']['Name'].rstrip('.')}."]
    assert proof["ResourceRecords"] == [{"Value": option["ResourceRecord"]["Value"]}]

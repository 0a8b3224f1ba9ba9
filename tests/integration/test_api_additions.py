"""What settings add to the API: a custom domain with its certificate and records, a firewall before the sign-in."""

from __future__ import annotations

from local.deploy.stack import LocalStack, deploy_to


def test_a_domain_gets_its_certificate_and_records_and_the_sign_in_its_firewall(stack: LocalStack) -> None:
    records = stack.aws.client("route53")
    zone = records.create_hosted_zone(Name="example.com", CallerReference="custom domain")["HostedZone"]["Id"]
    zone_id = zone.rpartition("/")[2]

    deployed = deploy_to(stack.aws, {"api": {"domain": "api.example.com", "hosted_zone_id": zone_id, "firewall": True}})

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
    pool = stack.aws.client("cognito-idp").describe_user_pool(UserPoolId=deployed.outputs["user_pool"])["UserPool"]
    acl = stack.aws.client("wafv2").get_web_acl_for_resource(ResourceArn=pool["Arn"])["WebACL"]
    assert [rule["Name"] for rule in acl["Rules"]] == ["too-many-requests", "known-for-attacks"]
    pool = stack.aws.client("cognito-idp").describe_user_pool(UserPoolId=deployed.outputs["user_pool"])["UserPool"]
    acl = stack.aws.client("wafv2").get_web_acl_for_resource(ResourceArn=pool["Arn"])["WebACL"]
    assert [rule["Name"] for rule in acl["Rules"]] == ["too-many-requests", "known-for-attacks"]

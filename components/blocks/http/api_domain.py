"""ApiDomain: a custom domain for an HTTP API, with its certificate and DNS records."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.blocks.resources import child


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A custom domain, with what its certificate and records need.

    Attributes
    ----------
    host
        Host name, such as `api.example.com`.
    zone_id
        Id of the Amazon Route 53 hosted zone for the domain's records; when absent, create them by hand.
    certificate_arn
        ARN of an existing certificate in the API's region; when absent, one is issued, which requires `zone_id`.
    """

    host: str
    zone_id: pulumi.Input[str] = ""
    certificate_arn: pulumi.Input[str] = ""

    def __post_init__(self) -> None:
        if not (self.zone_id or self.certificate_arn):
            raise ValueError(f"Domain {self.host}: expected zone_id or certificate_arn")


class ApiDomain(pulumi.ComponentResource):
    """A domain that leads to the stage of an HTTP API, over TLS 1.2 or newer.

    Parameters
    ----------
    name
        Logical name; the names of the resources start with it.
    domain
        Host name, hosted zone and certificate.
    api_id, stage
        Id and stage of the API.

    Attributes
    ----------
    url
        Address of the API.
    target
        Host name for a record that is created by hand.
    """

    def __init__(
        self,
        name: str,
        *,
        domain: Domain,
        api_id: pulumi.Input[str],
        stage: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:ApiDomain", name, {}, opts)
        certificate = domain.certificate_arn or self._certificate(name, domain)
        made = aws.apigatewayv2.DomainName(
            name,
            domain_name=domain.host,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=certificate, endpoint_type="REGIONAL", security_policy="TLS_1_2"
            ),
            opts=child(self),
        )
        aws.apigatewayv2.ApiMapping(name, api_id=api_id, stage=stage, domain_name=made.domain_name, opts=child(self))
        self.url = f"https://{domain.host}"
        self.target = made.domain_name_configuration.target_domain_name
        if domain.zone_id:
            self._records(name, domain, made)
        self.register_outputs({"url": self.url})

    def _certificate(self, name: str, domain: Domain) -> pulumi.Output[str]:
        certificate = aws.acm.Certificate(name, domain_name=domain.host, validation_method="DNS", opts=child(self))
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-proof",
            zone_id=domain.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            opts=child(self),
        )
        return aws.acm.CertificateValidation(
            name,
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=child(self),
        ).certificate_arn

    def _records(self, name: str, domain: Domain, made: aws.apigatewayv2.DomainName) -> None:
        alias = aws.route53.RecordAliasArgs(
            name=made.domain_name_configuration.target_domain_name,
            zone_id=made.domain_name_configuration.hosted_zone_id,
            evaluate_target_health=False,
        )
        aws.route53.Record(name, zone_id=domain.zone_id, name=domain.host, type="A", aliases=[alias], opts=child(self))

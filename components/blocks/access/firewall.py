"""Firewall: AWS WAF in front of a resource that takes requests from the internet."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.blocks.resources import child

# Per address: one sign-in is a handful of requests, so an office of hundreds stays below.
_REQUESTS_IN_FIVE_MINUTES = 500
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-ip-rep.html
_REPUTATION = "AWSManagedRulesAmazonIpReputationList"


class Firewall(pulumi.ComponentResource):
    """A web ACL that blocks addresses which send too many requests or are known for attacks.

    Costs 5 USD per month, 1 USD for each of its two rules, and 0.60 USD per million requests
    (https://aws.amazon.com/waf/pricing/).

    Parameters
    ----------
    name
        Logical name; the web ACL's physical name starts with it.
    resource_arn
        ARN of a user pool, load balancer or REST API. AWS WAF does not support HTTP APIs.

    Attributes
    ----------
    arn
        ARN of the web ACL.
    """

    def __init__(
        self, name: str, *, resource_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloud-nlp:blocks:Firewall", name, {}, opts)
        acl = aws.wafv2.WebAcl(
            name,
            scope="REGIONAL",
            default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
            rules=[_too_many_requests(), _known_for_attacks()],
            visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
                cloudwatch_metrics_enabled=True, metric_name="Firewall", sampled_requests_enabled=False
            ),
            opts=child(self),
        )
        self.arn = acl.arn
        aws.wafv2.WebAclAssociation(name, resource_arn=resource_arn, web_acl_arn=acl.arn, opts=child(self))
        self.register_outputs({"arn": self.arn})


def _too_many_requests() -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="too-many-requests",
        priority=0,
        action=aws.wafv2.WebAclRuleActionArgs(block=aws.wafv2.WebAclRuleActionBlockArgs()),
        statement=aws.wafv2.WebAclRuleStatementArgs(
            rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                limit=_REQUESTS_IN_FIVE_MINUTES, aggregate_key_type="IP", evaluation_window_sec=300
            )
        ),
        visibility_config=_visible("TooManyRequests"),
    )


def _known_for_attacks() -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="known-for-attacks",
        priority=1,
        # The managed rules keep their own action, which is to block.
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(none=aws.wafv2.WebAclRuleOverrideActionNoneArgs()),
        statement=aws.wafv2.WebAclRuleStatementArgs(
            managed_rule_group_statement=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                name=_REPUTATION, vendor_name="AWS"
            )
        ),
        visibility_config=_visible("KnownForAttacks"),
    )


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )

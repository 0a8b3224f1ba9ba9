"""Creators of AWS WAF's web ACLs."""

from __future__ import annotations

from local.deploy.creators.common import Context, Created, Creator, Inputs, parts


def _web_acl(context: Context, inputs: Inputs) -> Created:
    names = ("scope", "defaultAction", "rules", "visibilityConfig")
    made = context.client("wafv2").create_web_acl(
        Name=context.unique, **parts(inputs, *names, cloudwatchMetricsEnabled="CloudWatchMetricsEnabled")
    )["Summary"]
    return made["Id"], {"name": context.unique, "arn": made["ARN"]}


def _web_acl_association(context: Context, inputs: Inputs) -> Created:
    context.client("wafv2").associate_web_acl(ResourceArn=inputs["resourceArn"], WebACLArn=inputs["webAclArn"])
    return f"{inputs['webAclArn']},{inputs['resourceArn']}", {}


CREATORS: dict[str, Creator] = {
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": _web_acl_association,
}

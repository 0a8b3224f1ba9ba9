"""Options of the resources that components consist of."""

from __future__ import annotations

from typing import Any

import pulumi


def child(parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
    """Make the options of a component's child.

    Parameters
    ----------
    parent
        The component.
    options
        Further options, as `pulumi.ResourceOptions` takes them.
    """
    return pulumi.ResourceOptions(parent=parent, **options)

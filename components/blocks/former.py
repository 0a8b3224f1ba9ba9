"""Former parents of resources that have moved, for aliases: a deployed stack keeps the resources that it has.

Up to version 0.1.0, a component `ProductApi` held the document store, the workflows and the API, and named them after
itself: `product-documents`, `product-translate`, `product-api`.
"""

from __future__ import annotations

import pulumi


def former_product_api(name: str, suffix: str = "") -> pulumi.Output[str]:
    """Make the URN of the `ProductApi` that held a resource.

    Parameters
    ----------
    name
        Logical name of the resource, such as `product-api`.
    suffix
        What follows the name of the `ProductApi` in it, such as `-api`.
    """
    return pulumi.create_urn(name.removesuffix(suffix), "cloud-nlp:index:ProductApi")

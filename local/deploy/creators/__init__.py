"""How the embedded AWS makes each type of resource: one function per type, all in the table `CREATORS`.

A creator makes a resource with boto3 from the inputs that Pulumi passes on, and returns its id and the outputs that the
program reads. This is not a second Pulumi: each resource is made once, in order, and lives as long as the embedded AWS.
The modules of this package each have the creators of one group of services.
"""

from __future__ import annotations

from local.deploy.creators import (
    api,
    compute,
    database,
    domains,
    firewall,
    identity,
    messaging,
    monitoring,
    sign_in,
    spending,
    storage,
    workflow,
)
from local.deploy.creators.common import Context, Creator

__all__ = ["CREATORS", "Context"]

CREATORS: dict[str, Creator] = {
    **api.CREATORS,
    **compute.CREATORS,
    **database.CREATORS,
    **domains.CREATORS,
    **firewall.CREATORS,
    **identity.CREATORS,
    **messaging.CREATORS,
    **monitoring.CREATORS,
    **sign_in.CREATORS,
    **spending.CREATORS,
    **storage.CREATORS,
    **workflow.CREATORS,
}

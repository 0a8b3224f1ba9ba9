"""How the embedded AWS gets each type of resource of the program: one function a type, all in the table `CREATORS`.

A creator gets a context (clients, names) and the resource's inputs as Pulumi spells them, makes it with boto3, and
returns the resource's id and the outputs the program reads. This is not a second Pulumi: resources are made once, in
order, and vanish with the embedded AWS. The creators are in
`local.deploy.creators`, one file for each group of services.
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
    storage,
    workflow,
)
from local.deploy.creators.common import Context, Created, Creator, Inputs, archive_bytes

__all__ = ["CREATORS", "Context", "Created", "Creator", "Inputs", "archive_bytes"]

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
    **storage.CREATORS,
    **workflow.CREATORS,
}

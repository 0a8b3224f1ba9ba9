"""The file through which the command line finds a product that runs on this machine.

`local.deploy.stack` writes it, and `cli.aws.finding` reads it.
"""

from __future__ import annotations

# Path of the file, relative to the project's folder.
STATE_FILE = ".local/state.json"
# Environment variable with another path, so that several local stacks can run on one machine.
STATE_VARIABLE = "NLP_STATE"

"""The file through which the command line finds a product that runs on this machine.

`local.deploy.stack` writes it. The command line reads it, by the same names in `cli.environment`.
"""

from __future__ import annotations

# Path of the file, relative to the project's folder.
STATE_FILE = ".local/state.json"
# Environment variable with another path, so that several local stacks can run on one machine.
STATE_VARIABLE = "NLP_STATE"

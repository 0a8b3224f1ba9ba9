"""Environment variables and files that say which deployment a command works on."""

from __future__ import annotations

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
# The stack on the embedded AWS.
LOCAL = "local"
# Describes the running embedded AWS; `make serve` writes it.
STATE_FILE = PROJECT_ROOT / ".local" / "state.json"
STATE_VARIABLE = "NLP_STATE"
OUTPUTS_VARIABLE = "NLP_OUTPUTS"

"""Environment variables and files that say which deployment a command works on."""

from __future__ import annotations

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
# The stack on the embedded AWS.
LOCAL = "local"
OUTPUTS_VARIABLE = "NLP_OUTPUTS"

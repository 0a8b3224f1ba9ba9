"""The settings of a stack that commands read before it is deployed, straight from `Pulumi.<stack>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.environment import LOCAL, PROJECT_ROOT
from cli.ui.errors import CliError
from schema.defaults import LOG_RETENTION_DAYS

PREFIX = "cloud-nlp:"


@dataclass(frozen=True)
class StackSettings:
    """Raw settings of a stack; the program checks them.

    Attributes
    ----------
    stack : str
        The stack's name.
    config : mapping
        Its settings by key.
    """

    stack: str
    config: Mapping[str, Any]

    @property
    def region(self) -> str:
        """Region of the stack; empty when it sets none."""
        return str(self.config.get("aws:region") or "")

    @property
    def is_local(self) -> bool:
        """Whether the stack is on the embedded AWS."""
        return self.stack == LOCAL

    @property
    def log_days(self) -> int:
        """Days that logs are kept."""
        return int(self.value("functions", "log_retention_days", LOG_RETENTION_DAYS))

    def value(self, group: str, name: str, default: Any = None) -> Any:
        """Read a setting of a group; the default where it is not set."""
        values = self.config.get(f"{PREFIX}{group}")
        value = values.get(name) if isinstance(values, Mapping) else None
        return default if value in (None, "") else value

    def top(self, name: str, default: Any = None) -> Any:
        """Read a setting that is in no group."""
        value = self.config.get(f"{PREFIX}{name}")
        return default if value in (None, "") else value


def read_settings(stack: str) -> StackSettings:
    """Read the settings of a stack.

    Raises
    ------
    CliError
        When there is no such file, or it is no YAML mapping.
    """
    import yaml

    path = PROJECT_ROOT / f"Pulumi.{stack}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return StackSettings(stack, dict(content.get("config") or {}))
    except FileNotFoundError:
        raise CliError(
            f"There is no {path.name}. Make one (cp Pulumi.dev.yaml {path.name}), or choose another stack: --stack dev."
        ) from None
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise CliError(f"{path.name} cannot be read: {error}.") from None

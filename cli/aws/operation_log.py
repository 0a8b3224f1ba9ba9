"""What Pulumi does, as it happens: a line, or a JSON object, for each operation on a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.aws.pulumi_stack import plain_text, resource_name
from cli.ui.output import hint, terminal, write_json_line
from cli.ui.text import printable

if TYPE_CHECKING:
    from pulumi.automation import EngineEvent
    from pulumi.automation.events import DiagnosticEvent, StepEventMetadata

# Operations that change nothing.
SILENT = {"same", "refresh", "read", "discard", "discard-replaced"}
STYLES = {"create": "green", "update": "yellow", "delete": "red", "replace": "magenta", "import": "cyan"}
SHOWN_SEVERITIES = {"warning", "error"}


class OperationLog:
    """Receives the engine's events and writes them.

    Parameters
    ----------
    json : bool
        Write one JSON object per line on stdout, instead of text.
    preview : bool
        Nothing is done, so what is planned is shown instead of what is finished.

    Attributes
    ----------
    failed : list of str
        The resources whose operation failed.
    errors : list of str
        The first lines of the engine's error messages.
    """

    def __init__(self, *, json: bool, preview: bool = False):
        self.failed: list[str] = []
        self.errors: list[str] = []
        self._json = json
        self._preview = preview
        self._console = terminal()

    def record(self, event: EngineEvent) -> None:
        """Write an event, unless it says nothing to a user."""
        if event.resource_pre_event and self._preview:
            self._write_operation(event.resource_pre_event.metadata, "planned")
        elif event.res_outputs_event and not self._preview:
            self._write_operation(event.res_outputs_event.metadata, "done")
        elif event.res_op_failed_event:
            self.failed.append(resource_name(event.res_op_failed_event.metadata.urn))
            self._write_operation(event.res_op_failed_event.metadata, "failed")
        elif event.diagnostic_event:
            self._write_diagnostic(event.diagnostic_event)

    def _write_operation(self, step: StepEventMetadata, status: str) -> None:
        operation, name = step.op.value, resource_name(step.urn)
        if operation in SILENT:
            return
        if self._json:
            write_json_line(
                {
                    "event": "resource",
                    "operation": operation,
                    "type": step.type,
                    "name": name,
                    "status": status,
                }
            )
            return
        from rich.text import Text

        style = "bold red" if status == "failed" else STYLES.get(operation.split("-")[0], "")
        suffix = " failed" if status == "failed" else ""
        line = Text.assemble((f"{operation + suffix:<18}", style), f" {step.type} ", (printable(name), "bold"))
        self._console.print(line, soft_wrap=True)

    def _write_diagnostic(self, diagnostic: DiagnosticEvent) -> None:
        message = plain_text(diagnostic.message).strip()
        if diagnostic.severity not in SHOWN_SEVERITIES or diagnostic.ephemeral or not message:
            return
        if diagnostic.severity == "error":
            self.errors.append(message.splitlines()[0])
        name = resource_name(diagnostic.urn) if diagnostic.urn else None
        if self._json:
            write_json_line({"event": "diagnostic", "severity": diagnostic.severity, "name": name, "message": message})
            return
        for line in message.splitlines():
            hint(f"{diagnostic.severity}: {name + ': ' if name else ''}{printable(line)}")

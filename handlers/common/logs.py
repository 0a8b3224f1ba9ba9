"""The functions' logger: one JSON object per line, with the request and the run that it belongs to."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_context: dict[str, str] = {}


class _ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        for key, value in _context.items():
            setattr(record, key, value)
        return True


def _make_logger() -> logging.Logger:
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_ContextFilter())
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{message}{name}",
            style="{",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )
    )
    made = logging.getLogger("cloud_nlp")
    made.handlers[:] = [handler]
    made.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    made.propagate = False  # otherwise Lambda's own root handler prints every line a second time
    return made


logger = _make_logger()


def start_request(context: Any, **fields: str) -> None:
    """Set the fields of all following log lines: the request's id, and others in place of the earlier ones.

    Parameters
    ----------
    context
        Lambda's context object.
    fields
        Further fields of every line, such as `run`.
    """
    _context.clear()
    _context.update(request_id=getattr(context, "aws_request_id", ""), **fields)

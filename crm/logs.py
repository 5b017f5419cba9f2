"""How the program logs: a line for each event, a failure with where it happened and never with the values there, which are
people's names and numbers."""

from __future__ import annotations

import sys

import structlog
from structlog.typing import Processor


def configure(*, production: bool) -> None:
    """JSON lines in production, words for a person otherwise."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shown: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    if not production:
        plain = structlog.dev.plain_traceback
        shown = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    structlog.configure(processors=shared + shown)

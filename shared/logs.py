"""Structured logs on stderr: coloured lines on a terminal, JSON everywhere else."""

from __future__ import annotations

import logging
import sys
import traceback
from functools import partial
from typing import Any, cast

import structlog
from structlog.typing import EventDict, ExcInfo


def configure(service: str, level: str = "INFO") -> None:
    """Set up logging for this process; call once, first thing in a composition root."""
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            partial(_name, service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_traceback),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(
            sys.stderr
        ),  # a line in one write: processes share stderr
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def _name(service: str, _logger: object, _method: str, event: EventDict) -> EventDict:
    """Put the process's name on every line, whichever thread logs it."""
    event.setdefault("service", service)
    return event


def _traceback(exc_info: ExcInfo) -> str:
    """Where it happened and what kind of error it was; its words and variables may hold a secret."""
    kind, _, trace = exc_info
    return "".join(traceback.format_tb(trace)) + kind.__name__


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module; events are snake_case names listed in `docs/logs.md`."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(name))

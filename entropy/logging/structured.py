"""Structured logs: one JSON object a line, from every process, with the run that it is about."""

import logging
import logging.config
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from celery import current_task
from pythonjsonlogger.json import JsonFormatter

from entropy.logging.redaction import Redaction
from entropy.models import Run
from entropy.settings import LogSettings

_STEERING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")
"""What a terminal obeys in place of showing it; lines and tabs are kept."""

_run: ContextVar[dict[str, Any] | None] = ContextVar("entropy_run", default=None)


@contextmanager
def about(run: Run) -> Iterator[None]:
    """Every line logged inside carries this run's fields."""
    token = _run.set(
        {
            "run_id": run.id,
            "generation": run.generation,
            "role": run.role,
            "stage": str(run.stage),
            "item": str(run.item),
        }
    )
    try:
        yield
    finally:
        _run.reset(token)


class Context(logging.Filter):
    """Adds the fields of the run and of the Celery task to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (_run.get() or {}).items():
            setattr(record, name, value)
        request = getattr(current_task, "request", None)
        if request is not None and request.id:
            record.task_id = request.id
            record.root_id = request.root_id
            record.parent_id = request.parent_id
            record.task = current_task.name
        return True


class RedactingJsonFormatter(JsonFormatter):
    """JSON, with secrets taken out of the finished line: message, arguments, extras and traceback alike."""

    def format(self, record: logging.LogRecord) -> str:
        return Redaction.apply(super().format(record))


class RedactingTextFormatter(logging.Formatter):
    """The same for people who watch a terminal, which nothing that is logged can steer."""

    def format(self, record: logging.LogRecord) -> str:
        return _STEERING.sub(_escaped, Redaction.apply(super().format(record)))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def configure(settings: LogSettings) -> None:
    """Send every log line and every warning of this process to standard error in the one format."""
    logging.captureWarnings(True)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"context": {"()": Context}},
            "formatters": {
                "json": {
                    "()": RedactingJsonFormatter,
                    "fmt": "%(asctime)s %(levelname)s %(name)s %(processName)s %(process)d %(message)s",
                    "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                },
                "text": {
                    "()": RedactingTextFormatter,
                    "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                },
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "filters": ["context"],
                    "formatter": settings.format,
                }
            },
            "root": {"handlers": ["stderr"], "level": settings.level},
        }
    )

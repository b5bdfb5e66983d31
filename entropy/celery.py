"""The Celery app: ``celery -A entropy worker|beat|flower``; nothing below imports it."""

import logging
import sys
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_init, worker_shutting_down

from entropy.errors import ConfigurationError, PermanentError, TransientError
from entropy.lifecycle.renewal import Draining
from entropy.logging.structured import configure
from entropy.scheduling.waker import Waker
from entropy.settings import settings
from entropy.wiring import Toolbox, equip, toolbox

try:
    settings()
except ConfigurationError as error:
    # Said here, once, instead of at the bottom of a traceback of Celery's configuration loader.
    sys.exit(f"entropy: {error}")

log = logging.getLogger(__name__)

PATIENCE = 60
"""Seconds for which a worker waits for Redis."""

app = Celery("entropy")
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Waker)


@celeryd_init.connect  # earlier than the other, so that the first warning of a worker is a line like every other
@setup_logging.connect
def configure_logging(**_: Any) -> None:
    """Celery leaves the logs to us."""
    configure(settings().log)


@celeryd_init.connect
def wait_for_redis(**_: Any) -> None:
    """A worker sits an outage of Redis out; a person at a terminal is told at once."""
    equip(lambda: Toolbox(settings(), patience=PATIENCE))


@worker_init.connect
def prove_the_sandbox(**_: Any) -> None:
    """Before there is work, and before the pool is forked: its processes inherit the verdict."""
    if settings().sandbox.backend == "none":
        return
    try:
        toolbox().sandboxes.preflight()
    except TransientError as error:
        log.warning("the sandbox is proven later", extra={"why": str(error)})
    except PermanentError as error:
        sys.exit(f"entropy: {error}")


@worker_shutting_down.connect
def hand_back_what_is_long(**_: Any) -> None:
    """A warm shutdown waits for tasks; the long ones are told to leave their stage to another worker."""
    Draining.begin()

"""A worker process: ``python -m barnhand.app.worker ROLE``, told everything else over its standard input."""

import logging
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from barnhand.app.inbox import Inbox
from barnhand.app.signals import stop_on
from barnhand.core.errors import ConfigurationError

log = logging.getLogger("barnhand.app.worker")

Role = Callable[[Mapping[str, Any], Inbox], None]


def echo(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Log what it is told: the smallest worker there is, to try the plumbing with."""
    log.info("configured: %s", configuration)
    while not inbox.stop.is_set():
        message = inbox.next(0.1)
        if message is not None:
            log.info("told: %s", message)


def role_named(name: str) -> Role:
    """The role's function; imported here so that a worker loads only what it needs."""
    if name == "echo":
        return echo
    from barnhand.app import roles

    table: dict[str, Role] = {
        "api": roles.api,
        "writer": roles.writer,
        "recorder": roles.recorder,
        "analyst": roles.analyst,
        "transcoder": roles.transcoder,
        "cameras": roles.cameras,
    }
    if name not in table:
        raise ConfigurationError(f"there is no worker {name!r}; there are {', '.join(table)}")
    return table[name]


def main() -> int:
    """Run the role named on the command line until the parent closes the pipe."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A terminal's Ctrl-C is the parent's business: it closes the pipe when it is this worker's turn.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox = Inbox()
    stop_on((signal.SIGTERM,), inbox.stop)
    configuration = None
    while configuration is None:
        configuration = inbox.next(0.5)
        if configuration is None and inbox.stop.is_set():
            return 0
    level = str(configuration.get("settings", {}).get("log_level", "info")).upper()
    logging.getLogger("barnhand").setLevel(level)
    try:
        role_named(sys.argv[1])(configuration, inbox)
    except Exception:  # the edge of a worker: its log tells why, the supervisor starts another
        log.exception("the %s worker failed; it is started again", sys.argv[1])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

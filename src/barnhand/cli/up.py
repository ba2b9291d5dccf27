"""``barnhand up``: everything, until Ctrl-C."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.markup import escape

from barnhand.app import guardian
from barnhand.app.folder import DataFolder
from barnhand.app.ports import check_port
from barnhand.app.signals import ASK_TO_STOP, stop_on
from barnhand.cli.console import err, out
from barnhand.core.errors import BarnHandError, StoreError
from barnhand.core.time import SystemClock
from barnhand.settings.settings import Settings, read_settings

if TYPE_CHECKING:
    from barnhand.app.supervisor import Supervisor

READY_SECONDS = 60.0


def up() -> None:
    """Start BarnHand: page, recorder, analysts, database. Ctrl-C stops everything."""
    from barnhand.app.supervisor import Supervisor

    settings = read_settings()
    if not guardian.guarded():
        check_page_port(settings)
        sys.exit(guardian.guard(sys.argv[1:]))
    supervisor = Supervisor(settings, SystemClock(), lambda step: err().print(f"[dim]{escape(step)} …[/]"))
    serve(supervisor, threading.Event())


def check_page_port(settings: Settings) -> None:
    """Raise ``ConfigurationError`` when another program has the page's port; a BarnHand on this folder says so itself."""
    folder = DataFolder(settings.data)
    folder.prepare()
    if folder.lock.held():
        return
    check_port(settings.host, settings.port, "the page", "stop it or set BARNHAND_PORT to another")


def serve(supervisor: "Supervisor", stop: threading.Event, also: Callable[[], None] | None = None) -> None:
    """Run a supervisor until a signal or ``stop``, having told where the page is; ``also`` is called while it watches."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop_on(ASK_TO_STOP, stop)
    try:
        supervisor.start()
        threading.Thread(target=announce, args=(supervisor, stop), name="announce", daemon=True).start()
        supervisor.run(stop, also)
    finally:
        if stop.is_set():
            err().print("[dim]Stopping …[/]")
        supervisor.stop()


def announce(supervisor: "Supervisor", stop: threading.Event) -> None:
    """Once the page answers, print its address and, while nobody has an account, the one-time link."""
    if not wait_ready(supervisor, stop):
        if not stop.is_set():
            err().print(f"[bold red]The page does not answer; its log is {supervisor.folder.logs / 'api.log'}[/]")
        return
    try:
        token = supervisor.setup_token()
    except StoreError as error:
        err().print(f"[bold red]{escape(str(error))}[/]")
        return
    console = out()
    console.print(f"\n  [bold]BarnHand is at[/] [link]{supervisor.address}[/link]")
    if token is not None:
        console.print(f"  First time? Make your account here (once, within a day): {supervisor.address}/welcome?token={token}")
    console.print("  Ctrl-C stops it.\n")


def wait_ready(supervisor: "Supervisor", stop: threading.Event) -> bool:
    """Whether the page answered before ``stop`` and the time limit."""
    import httpx

    end = time.monotonic() + READY_SECONDS
    while not stop.wait(0.1) and time.monotonic() < end:
        try:
            if httpx.get(f"{supervisor.address}/readyz", timeout=1, trust_env=False).status_code == httpx.codes.OK:
                return True
        except (httpx.HTTPError, BarnHandError):
            continue
    return False

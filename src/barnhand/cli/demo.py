"""``barnhand demo``: the whole of BarnHand on four demo cameras."""

import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from barnhand.app import guardian
from barnhand.app.ports import check_port
from barnhand.cli import up
from barnhand.cli.console import err, out
from barnhand.core.errors import BarnHandError
from barnhand.core.stream import SourceType, Status, StreamState
from barnhand.core.time import SystemClock
from barnhand.settings.settings import read_settings

if TYPE_CHECKING:
    from barnhand.app.supervisor import Supervisor

CAMERA_PORT = 18554
PROOF_SECONDS = 90.0
TITLES = {"stall_night": "Box 1, night", "paddock": "Paddock", "aisle": "Aisle", "arena": "Arena"}


@dataclass
class Seen:
    """What one camera has shown so far."""

    name: str
    state: StreamState | None = None
    pictures: int = 0
    horses: int = 0
    last_us: int = 0


def demo(
    seconds: Annotated[
        float | None,
        typer.Option("--for", help="End so many seconds after all cameras are seen; without a terminal: at once."),
    ] = None,
) -> None:
    """Show BarnHand at work on four demo cameras, in a data folder of its own."""
    from barnhand.app.child import Child
    from barnhand.app.supervisor import Supervisor
    from barnhand.demo import films

    settings = read_settings()
    settings = settings.model_copy(update={"data": settings.data / "demo"})
    if not guardian.guarded():
        up.check_page_port(settings)
        check_port("127.0.0.1", CAMERA_PORT, "the demo cameras", "stop it and start the demo again")
        sys.exit(guardian.guard(sys.argv[1:]))
    supervisor = Supervisor(settings, SystemClock(), lambda step: err().print(f"[dim]{step} …[/]"))
    order = {"clips": {film.name: str(film.video) for film in films()}, "port": CAMERA_PORT}
    cameras = Child("cameras", "cameras", order, supervisor.folder.logs, SystemClock())
    stop = threading.Event()
    proven = threading.Event()

    def show() -> None:
        if not up.wait_ready(supervisor, stop):
            return
        ids = register(supervisor, [(TITLES[film.name], f"rtsp://127.0.0.1:{CAMERA_PORT}/{film.name}") for film in films()])
        if watch(supervisor, ids, stop):
            proven.set()
        if seconds is not None:
            stop.wait(seconds)
            stop.set()
        elif not sys.stdin.isatty():
            stop.set()

    threading.Thread(target=show, name="demo", daemon=True).start()
    cameras.start()
    try:
        up.serve(supervisor, stop, also=cameras.watch)
    finally:
        cameras.stop()
    if not proven.is_set() and not sys.stdin.isatty():
        raise BarnHandError(f"the demo cameras were not all seen within {PROOF_SECONDS:.0f} s; see {supervisor.folder.logs}")


def register(supervisor: "Supervisor", wanted: list[tuple[str, str]]) -> dict[str, str]:
    """The demo cameras' ids by name, added unless they are there from an earlier run."""
    from barnhand.hub.hub import Hub
    from barnhand.store.addresses import split

    there = {record.name: record.id for record in supervisor.store.streams.all()}
    for name, url in wanted:
        if name not in there:
            record = supervisor.store.streams.create(
                name=name, source_type=SourceType.RTSP, address=split(SourceType.RTSP, url), status=Status.ACTIVE
            )
            there[name] = record.id
    hub = Hub(supervisor.hub_url)
    hub.publish_event("streams:changed", {})
    hub.close()
    return {name: there[name] for name, _ in wanted}


def watch(supervisor: "Supervisor", ids: dict[str, str], stop: threading.Event) -> bool:
    """Wait until every camera is recorded and analysed, then print what was seen; false when that took too long."""
    from barnhand.hub.hub import Hub

    hub = Hub(supervisor.hub_url)
    seen = {stream_id: Seen(name) for name, stream_id in ids.items()}
    end = time.monotonic() + PROOF_SECONDS
    while not stop.wait(0.2) and time.monotonic() < end:
        try:
            states = hub.states()
            for stream_id, camera in seen.items():
                camera.state = states.get(stream_id)
                observation = hub.latest_observation(stream_id)
                if observation is not None and observation.wall_us > camera.last_us:
                    camera.last_us = observation.wall_us
                    camera.pictures += 1
                    camera.horses = max(camera.horses, len(observation.horses))
        except BarnHandError:
            continue
        active = all(camera.state is not None and camera.state.status is Status.ACTIVE for camera in seen.values())
        if active and all(camera.pictures >= 10 for camera in seen.values()) and any(c.horses for c in seen.values()):
            break
    else:
        hub.close()
        return False
    hub.close()
    table = Table("camera", "state", "pictures analysed", "horses at once")
    for camera in seen.values():
        table.add_row(camera.name, camera.state.message if camera.state else "", str(camera.pictures), str(camera.horses))
    out().print(table)
    return True

"""What the routes lean on, put together by ``create_app`` and reached through FastAPI's dependencies."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from barnhand.api.conversions import Conversions
from barnhand.api.fanout import Fanouts
from barnhand.api.metrics import Metrics
from barnhand.api.security import Passwords, Sessions, Tickets
from barnhand.api.snapshot import Snapshots
from barnhand.api.throttle import Throttle
from barnhand.core.time import Clock, SystemClock
from barnhand.hub.async_hub import AsyncHub
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store


@dataclass(frozen=True)
class ApiOptions:
    """How the api behaves."""

    session_hours: float = 24 * 14
    """Hours until a person has to sign in again."""
    session_recheck_s: float = 10
    """Seconds for which a session is trusted without asking the database; also how long it outlives a changed role."""
    ticket_s: float = 30
    """Seconds in which a WebSocket ticket must be used."""
    password_memory_kib: int = 65_536
    """Memory that hashing a password takes: RFC 9106's second recommendation, as are the passes."""
    password_passes: int = 3
    """Times that memory is gone over."""
    login_tries: int = 5
    """Wrong passwords from one address for one person before it has to wait."""
    login_wait_s: float = 30
    """The first wait; it doubles with each further wrong password, to an hour at most."""
    viewer_backlog: int = 150
    """Messages a viewer may be behind before it is sent on from the next key frame; about five seconds of video."""
    page_limit: int = 1000
    """Most rows of one answer."""
    observations_limit: int = 20_000
    """Most detections of one answer of the playback overlay: an hour of one horse at 5 pictures a second."""
    snapshot_age_s: float = 1
    """Seconds for which a snapshot is served again."""
    allowed_origins: tuple[str, ...] = ()
    """Origins, other than its own, from which a page may use the api, e.g. ``http://localhost:5173``."""
    static_folder: Path = Path(__file__).parent / "static"
    """The built page."""


@dataclass(frozen=True)
class ApiServices:
    """What the composition root hands in."""

    store: Store
    hub_url: str
    recordings: Path
    secrets: SecretBox
    converted: Path
    """The folder the transcoder keeps what it made in."""
    options: ApiOptions = field(default_factory=ApiOptions)
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True)
class State:
    """What one app holds while it runs."""

    services: ApiServices
    hub: AsyncHub
    passwords: Passwords
    sessions: Sessions
    tickets: Tickets
    throttle: Throttle
    fanouts: Fanouts
    conversions: Conversions
    snapshots: Snapshots
    metrics: Metrics

    @property
    def store(self) -> Store:
        """The database."""
        return self.services.store

    @property
    def options(self) -> ApiOptions:
        """The options."""
        return self.services.options

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.services.clock


def state_of(connection: HTTPConnection) -> State:
    """The state of the app a request or a WebSocket came to."""
    state = connection.app.state.barnhand
    assert isinstance(state, State)
    return state


Api = Annotated[State, Depends(state_of)]

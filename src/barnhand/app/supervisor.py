"""Starts everything in order, keeps it running, stops it in order."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from barnhand.app.child import Child
from barnhand.app.fleet import Fleet
from barnhand.app.folder import DataFolder
from barnhand.app.streams import WantedStreams
from barnhand.core.errors import BarnHandError, ConfigurationError, HubError, StoreError
from barnhand.core.time import Clock
from barnhand.hub import given as given_hub
from barnhand.hub.embedded import EmbeddedHub
from barnhand.hub.hub import EventReader, Hub
from barnhand.settings.settings import Settings
from barnhand.store import given as given_database
from barnhand.store.database import connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.2
POLL_SECONDS = 5.0
"""The list of streams is read again at least this often, should an event be lost."""


class Supervisor:
    """The processes of one machine.

    It holds nothing worth keeping: killed and started again it takes over the embedded servers and starts the workers
    anew. ``report`` is told each step in words for a person.
    """

    def __init__(self, settings: Settings, clock: Clock, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._report = report
        self.folder = DataFolder(settings.data)
        self._lock = self.folder.lock
        self._hub_server = EmbeddedHub(self.folder.valkey) if settings.redis_url is None else None
        self._database = EmbeddedPostgres(self.folder.postgres) if settings.database_url is None else None
        self._fleet: Fleet | None = None
        self._events: EventReader | None = None
        self._store: Store | None = None
        self._wanted: WantedStreams | None = None
        self._changed = threading.Event()
        self._migrated = False

    @property
    def hub_url(self) -> str:
        """Address of the hub in use."""
        if self._hub_server is not None:
            return self._hub_server.url
        assert self._settings.redis_url is not None
        return self._settings.redis_url.get_secret_value()

    @property
    def database_url(self) -> str:
        """Address of the database in use."""
        if self._database is not None:
            return self._database.url
        assert self._settings.database_url is not None
        return self._settings.database_url.get_secret_value()

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the page."""
        host = "127.0.0.1" if self._settings.host in {"0.0.0.0", "::"} else self._settings.host
        return f"http://{host}:{self._settings.port}"

    @property
    def store(self) -> Store:
        """The database, once started."""
        if self._store is None:
            raise StoreError("the database is not started yet")
        return self._store

    def setup_token(self) -> str | None:
        """The token of a new one-time link for the first administrator; ``None`` when there is one."""
        return self.store.setup.issue()

    @property
    def children(self) -> list[Child]:
        """The worker processes."""
        return [] if self._fleet is None else self._fleet.children

    def start(self) -> None:
        """Bring everything up.

        Raises ``ConfigurationError`` when the data folder is in use or cannot be used, and for a server named by a setting that
        cannot be used or, the first time, does not answer. Later the cameras known are recorded without it.
        """
        self.folder.prepare()
        holder = self._lock.take()
        if holder is not None:
            raise ConfigurationError(
                f"BarnHand already runs on {self.folder.root} (process {holder}); "
                "stop it first or set BARNHAND_DATA to another folder"
            )
        configuration = self._start_servers()
        self._fleet = Fleet(configuration, self.folder.logs, self._settings.analysts, self._clock)
        secrets = SecretBox.open(self.folder.secrets)
        self._store = Store(self._engine(), secrets, self._clock)
        self._wanted = WantedStreams(self._store.streams.wanted, secrets, self._known_cameras)
        self._report("Starting the page, the recorder and the analysts")
        self._fleet.start()
        self._fleet.assign(self._wanted.read())

    def _start_servers(self) -> dict[str, Any]:
        # The two servers start side by side: the database takes most of a second.
        hub_error: list[BarnHandError] = []

        def start_hub() -> None:
            try:
                if self._hub_server is not None:
                    self._hub_server.start()
            except BarnHandError as error:
                hub_error.append(error)

        answers = self._look_at_given_servers()
        thread = threading.Thread(target=start_hub)
        thread.start()
        if self._database is not None:
            self._report("Starting the database")
            self._database.start()
        thread.join()
        if hub_error:
            raise hub_error[0]
        if answers:
            self._migrate()
        return {
            "settings": self._settings.model_dump(mode="json", exclude={"database_url", "redis_url"}),
            "hub_url": self.hub_url,
            "database_url": self.database_url,
        }

    def _look_at_given_servers(self) -> bool:
        """Before anything is started, for what is wrong is better said than tried for ever; whether the database is there."""
        try:
            if self._settings.redis_url is not None:
                given_hub.check(self.hub_url)
        except HubError as error:
            self._go_on_without(error)
        try:
            if self._settings.database_url is not None:
                given_database.check(self.database_url)
        except StoreError as error:
            self._go_on_without(error)
            return False
        return True

    def _go_on_without(self, error: BarnHandError) -> None:
        if not self._known_cameras.exists():
            raise ConfigurationError(str(error)) from error
        self._report(f"{error}. The cameras known are recorded meanwhile")

    @property
    def _known_cameras(self) -> Path:
        return self.folder.cache / "streams.bin"

    def _migrate(self) -> None:
        engine = self._engine()
        try:
            migrate(engine)
            self._migrated = True
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        return connect(self.database_url, pool=1)

    def run(self, stop: threading.Event, also: Callable[[], None] | None = None) -> None:
        """Watch until told to stop; ``also`` is called each time."""
        threading.Thread(target=self._listen, args=(stop,), name="events", daemon=True).start()
        next_poll = self._clock.monotonic()
        while not stop.wait(WATCH_SECONDS):
            assert self._fleet is not None
            assert self._wanted is not None
            self._watch_servers()
            self._fleet.watch()
            if also is not None:
                also()
            if self._changed.is_set() or self._clock.monotonic() >= next_poll:
                self._changed.clear()
                next_poll = self._clock.monotonic() + POLL_SECONDS
                self._migrate_when_back()
                self._fleet.assign(self._wanted.read())

    def stop(self) -> None:
        """Stop the workers, then the servers; everything that was received is on disk afterwards."""
        if self._fleet is not None:
            self._fleet.stop()
        if self._store is not None:
            self._store.close()
        if self._hub_server is not None:
            self._hub_server.stop()
        if self._database is not None:
            self._database.stop()
        self._lock.give_back()

    def _migrate_when_back(self) -> None:
        """The database was away at the start; until its tables are made sure of, the writer waits."""
        if not self._migrated:
            with suppress(StoreError):
                self._migrate()

    def _watch_servers(self) -> None:
        for server in (self._hub_server, self._database):
            if server is None or server.alive():
                continue
            log.warning("%s is gone; starting it again", type(server).__name__)
            try:
                server.start()
            except BarnHandError:
                log.exception("%s does not start; it is tried again", type(server).__name__)

    def _listen(self, stop: threading.Event) -> None:
        hub = Hub(self.hub_url)
        events = hub.events()
        while not stop.is_set():
            try:
                if any(name == "streams:changed" for name, _ in events.read(block_ms=500)):
                    self._changed.set()
            except BarnHandError:
                stop.wait(0.5)
        with suppress(BarnHandError):
            hub.close()

"""The store and the hub for a command of its own, whether BarnHand runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from barnhand.app.folder import DataFolder
from barnhand.core.errors import BarnHandError
from barnhand.core.time import SystemClock
from barnhand.hub.embedded import EmbeddedHub
from barnhand.hub.hub import Hub
from barnhand.settings.settings import Settings
from barnhand.store import given
from barnhand.store.database import Database, connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store


@contextmanager
def local_store(settings: Settings) -> Iterator[Store]:
    """The store of these settings; an embedded database that does not run is started and stopped again."""
    with local_database(settings) as (store, _):
        yield store


@contextmanager
def local_database(settings: Settings) -> Iterator[tuple[Store, Database]]:
    """The same, with the database itself beside the store."""
    folder = DataFolder(settings.data)
    folder.prepare()
    embedded: EmbeddedPostgres | None = None
    # BarnHand holds this lock while it runs: then its database is up and not ours to stop.
    lock = folder.lock
    running = lock.take() is not None
    if settings.database_url is None:
        embedded = EmbeddedPostgres(folder.postgres)
        embedded.start()
        url = embedded.url
    else:
        url = settings.database_url.get_secret_value()
    try:
        if embedded is None:
            given.check(url)
        engine = connect(url, pool=1)
        migrate(engine)
        clock = SystemClock()
        store = Store(engine, SecretBox.open(folder.secrets), clock)
        try:
            yield store, Database(engine, clock)
        finally:
            store.close()
    finally:
        if embedded is not None and not running:
            embedded.stop()
        lock.give_back()


def tell_fleet(settings: Settings) -> None:
    """Let a running BarnHand know at once that the cameras changed; one that does not run finds out when it starts."""
    if settings.redis_url is not None:
        url = settings.redis_url.get_secret_value()
    else:
        url = EmbeddedHub(DataFolder(settings.data).valkey).url
    hub = Hub(url)
    with suppress(BarnHandError):
        hub.publish_event("streams:changed", {})
    hub.close()

"""What more than one room's tests need: a PostgreSQL and a hub, those that come with BarnHand or Debian's.

``server_kind`` says which. It is ``embedded`` unless a room's conftest takes ``tests.servers.KINDS`` as its parameters, whose
tests then run on both. BARNHAND_TEST_DATABASE_URL names a server to be used instead of the embedded PostgreSQL.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url
from tests.servers import DebianPostgres, HubServer, execute, hub_of

from barnhand.store.database import connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate


@pytest.fixture
def server_kind() -> str:
    """Whose servers a test uses."""
    return "embedded"


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder for PostgreSQL, which is another user: pytest closes its own to all users but its own."""
    with tempfile.TemporaryDirectory(prefix="barnhand-servers-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def debian_postgres(open_folder: Path) -> Iterator[DebianPostgres]:
    server = DebianPostgres(open_folder / "debian")
    server.start()
    yield server
    server.stop()


@contextmanager
def migrated(server_url: str) -> Iterator[str]:
    """Address of a database of its own with the tables."""
    name = f"barnhand_test_{uuid4().hex[:12]}"
    execute(server_url, f"create database {name}")
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    yield url
    execute(server_url, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def embedded_database(open_folder: Path) -> Iterator[str]:
    given = os.environ.get("BARNHAND_TEST_DATABASE_URL")
    if given:
        with migrated(given) as url:
            yield url
        return
    server = EmbeddedPostgres(open_folder / "embedded")
    server.start()
    # These rows need not outlive a power cut, and nobody waits for the disk.
    execute(server.url, "alter system set fsync = off")
    execute(server.url, "select pg_reload_conf()")
    with migrated(server.url) as url:
        yield url
    server.stop()


@pytest.fixture(scope="session")
def debian_database(debian_postgres: DebianPostgres) -> Iterator[str]:
    with migrated(debian_postgres.url) as url:
        yield url


@pytest.fixture
def database_url(server_kind: str, request: pytest.FixtureRequest) -> str:
    """Address of a database with the tables and no rows."""
    url: str = request.getfixturevalue(f"{server_kind}_database")
    execute(
        url,
        """
        do $$ declare names text; begin
            select string_agg(quote_ident(tablename), ', ') into names from pg_tables
            where schemaname = 'public' and tablename <> 'alembic_version';
            execute 'truncate ' || names || ' cascade';
            if to_regclass('_timescaledb_catalog.continuous_agg') is not null then
                -- It keeps what it has rolled up.
                truncate hourly_horse_detections;
            end if;
        end $$
        """,
    )
    return url


@pytest.fixture(scope="session")
def embedded_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    server = hub_of("embedded", tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def debian_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    server = hub_of("debian", tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hub_server(server_kind: str, request: pytest.FixtureRequest) -> HubServer:
    """A hub that runs."""
    server: HubServer = request.getfixturevalue(f"{server_kind}_hub")
    return server

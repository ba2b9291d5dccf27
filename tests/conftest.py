"""What more than one room's tests need: a PostgreSQL, embedded or the one that BARNHAND_TEST_DATABASE_URL names."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from barnhand.store.database import connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate


def run(url: str, statement: str) -> None:
    engine = connect(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a server on which databases may be made."""
    given = os.environ.get("BARNHAND_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not in pytest's own folder, which every session closes to all users but its own: the server is another user.
    with tempfile.TemporaryDirectory(prefix="barnhand-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "data")
        server.start()
        # These rows need not outlive a power cut, and nobody waits for the disk.
        run(server.url, "alter system set fsync = off")
        run(server.url, "select pg_reload_conf()")
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def migrated(postgres_server: str) -> Iterator[str]:
    """Address of a database with the tables."""
    name = f"barnhand_test_{uuid4().hex[:12]}"
    run(postgres_server, f"create database {name}")
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    yield url
    run(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
def database_url(migrated: str) -> str:
    """Address of a database with the tables and no rows."""
    run(
        migrated,
        """
        do $$ declare names text; begin
            select string_agg(quote_ident(tablename), ', ') into names from pg_tables
            where schemaname = 'public' and tablename <> 'alembic_version';
            execute 'truncate ' || names || ' cascade';
        end $$
        """,
    )
    return migrated

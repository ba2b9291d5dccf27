"""What more than one room's tests need: a PostgreSQL, embedded or the one that BARNHAND_TEST_DATABASE_URL names."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from barnhand.store.database import connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate


def run(server: str, statement: str) -> None:
    engine = connect(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def named(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server on which databases may be made."""
    given = os.environ.get("BARNHAND_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tmp_path_factory.mktemp("postgres"))
    # The server's own user must be able to reach its folder through pytest's, which is for its owner alone.
    for parent in [folder, *folder.parents[:2]]:
        parent.chmod(0o755)
    server = EmbeddedPostgres(folder / "data")
    server.start()
    # These databases need not outlive a power cut; without waiting for the disk each test has its own in no time.
    run(server.url, "alter system set fsync = off")
    run(server.url, "select pg_reload_conf()")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres_server: str) -> Iterator[str]:
    """Name of a database with the tables and no rows, to copy."""
    name = f"barnhand_template_{uuid4().hex[:12]}"
    run(postgres_server, f"create database {name}")
    engine = connect(named(postgres_server, name))
    migrate(engine)
    engine.dispose()
    yield name
    run(postgres_server, f"drop database {name}")


@pytest.fixture
def database_url(postgres_server: str, migrated: str) -> Iterator[str]:
    """A database of the test's own, with the tables."""
    name = f"barnhand_test_{uuid4().hex[:12]}"
    run(postgres_server, f"create database {name} template {migrated}")
    yield named(postgres_server, name)
    run(postgres_server, f"drop database {name} with (force)")

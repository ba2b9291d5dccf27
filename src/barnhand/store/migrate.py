"""Brings a database to the newest form of the tables."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from barnhand.store.database import away_as_store_error, unhurried

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x6D696772
"""Advisory lock that lets one process migrate and the others wait ("migr")."""


_MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> "Config":
    """Alembic's configuration, without a file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; all in one transaction, so that a migration that fails leaves nothing behind.

    Raises ``StoreError`` while the database is away.
    """
    with away_as_store_error(), engine.begin() as connection:
        unhurried(connection)
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        if revision == "head" and _version(connection) == newest():
            return
        # Loaded only where there is something to do: at every other start a person waits for it in vain.
        from alembic import command

        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def newest() -> str:
    """The newest revision: the files are named by them, in order."""
    return max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")).split("_")[0]


def _version(connection: Connection) -> str | None:
    """The revision the database is at; ``None`` for a database without tables."""
    if connection.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("select version_num from alembic_version"))
    return None if found is None else str(found)

"""Brings a database to the newest form of the tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from barnhand.store.database import away_as_store_error, unhurried

_LOCK = 0x6D696772
"""Advisory lock that lets one process migrate and the others wait ("migr")."""


def config() -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return made


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; all in one transaction, so that a migration that fails leaves nothing behind.

    Raises ``StoreError`` while the database is away.
    """
    with away_as_store_error(), engine.begin() as connection:
        unhurried(connection)
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)

"""Yards."""

import uuid

from sqlalchemy import Connection, insert, select

from barnhand.core.errors import NotFoundError
from barnhand.core.time import datetime_of_wall
from barnhand.store.database import Database
from barnhand.store.records import FarmRecord
from barnhand.store.tables import Farm

FIRST_NAME = "My yard"
_LOCK = 0x6261726E
"""Advisory lock that keeps two processes from both making the first farm ("barn")."""


_COLUMNS = select(Farm.id, Farm.name, Farm.owner_id, Farm.location, Farm.metadata_)


def default_farm(connection: Connection, now_us: int) -> str:
    """Id of the oldest farm, which is made when there is none."""
    oldest = select(Farm.id).order_by(Farm.created_at, Farm.id).limit(1)
    found = connection.scalar(oldest)
    if found is None:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        found = connection.scalar(oldest)
    if found is None:
        found = str(uuid.uuid4())
        connection.execute(insert(Farm).values(id=found, name=FIRST_NAME, created_at=datetime_of_wall(now_us)))
    return found


class Farms:
    """Reads yards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[FarmRecord]:
        """All, by name."""
        with self._database.begin() as connection:
            return [FarmRecord(*row) for row in connection.execute(_COLUMNS.order_by(Farm.name, Farm.id))]

    def get(self, farm_id: str) -> FarmRecord:
        """One. Raises ``NotFoundError``."""
        with self._database.begin() as connection:
            row = connection.execute(_COLUMNS.where(Farm.id == farm_id)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such yard")
        return FarmRecord(*row)

    def default(self) -> str:
        """Id of the yard that things belong to when nobody says otherwise."""
        with self._database.begin() as connection:
            return default_farm(connection, self._database.clock.wall_us())

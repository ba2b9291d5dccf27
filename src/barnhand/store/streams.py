"""Cameras."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from barnhand.core.errors import ConfigurationError, NotFoundError
from barnhand.core.stream import SourceType, Status, Stream
from barnhand.core.time import datetime_of_wall
from barnhand.store.addresses import Address
from barnhand.store.database import Database
from barnhand.store.farms import default_farm
from barnhand.store.records import StreamRecord
from barnhand.store.secrets import SecretBox
from barnhand.store.tables import StreamTable, table_of

log = logging.getLogger(__name__)
_TABLE = table_of(StreamTable)


def _record(row: Row[Any]) -> StreamRecord:
    return StreamRecord(
        id=row.id,
        farm_id=row.farm_id,
        name=row.name,
        source_type=SourceType(row.source_type),
        source_url=row.source_url,
        status=Status(row.status),
        config=row.config,
        created_at=row.created_at,
        updated_at=row.updated_at,
        has_secret=row.secret is not None,
    )


class Streams:
    """Reads and writes cameras; credentials are closed on the way in."""

    def __init__(self, database: Database, secrets: SecretBox) -> None:
        self._database = database
        self._secrets = secrets

    def all(self, farm_id: str | None = None) -> list[StreamRecord]:
        """All that are not removed, by name."""
        query = select(_TABLE).where(StreamTable.deleted_at.is_(None)).order_by(StreamTable.name, StreamTable.id)
        if farm_id is not None:
            query = query.where(StreamTable.farm_id == farm_id)
        with self._database.begin() as connection:
            return [_record(row) for row in connection.execute(query)]

    def get(self, stream_id: str, *, removed: bool = False) -> StreamRecord:
        """One; with ``removed`` also one that was removed. Raises ``NotFoundError``."""
        return _record(self._row(stream_id, removed=removed))

    def create(
        self,
        *,
        name: str,
        source_type: SourceType,
        address: Address,
        config: Mapping[str, Any] | None = None,
        farm_id: str | None = None,
        status: Status = Status.INACTIVE,
        stream_id: str | None = None,
    ) -> StreamRecord:
        """Add a camera. Raises ``ConfigurationError`` for a yard that is not there."""
        now_us = self._database.clock.wall_us()
        stream_id = stream_id or str(uuid.uuid4())
        try:
            with self._database.begin() as connection:
                row = connection.execute(
                    insert(_TABLE)
                    .values(
                        id=stream_id,
                        farm_id=farm_id or default_farm(connection, now_us),
                        name=name,
                        source_type=source_type.value,
                        source_url=address.url,
                        secret=self._closed(address, stream_id),
                        status=status.value,
                        config=dict(config or {}),
                        created_at=datetime_of_wall(now_us),
                        updated_at=datetime_of_wall(now_us),
                    )
                    .returning(_TABLE)
                ).one()
        except (IntegrityError, DataError) as error:
            raise ConfigurationError("there is no such yard; leave farm_id out to use the first one") from error
        return _record(row)

    def update(
        self,
        stream_id: str,
        *,
        name: str | None = None,
        source_type: SourceType | None = None,
        address: Address | None = None,
        config: Mapping[str, Any] | None = None,
        status: Status | None = None,
    ) -> StreamRecord:
        """Change what is given. Raises ``NotFoundError``."""
        values: dict[str, Any] = {"updated_at": datetime_of_wall(self._database.clock.wall_us())}
        if name is not None:
            values["name"] = name
        if source_type is not None:
            values["source_type"] = source_type.value
        if address is not None:
            values |= {"source_url": address.url, "secret": self._closed(address, stream_id)}
        if config is not None:
            values["config"] = dict(config)
        if status is not None:
            values["status"] = status.value
        there = (StreamTable.id == stream_id, StreamTable.deleted_at.is_(None))
        with self._database.begin() as connection:
            row = connection.execute(update(_TABLE).where(*there).values(values).returning(_TABLE)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such camera")
        return _record(row)

    def delete(self, stream_id: str) -> None:
        """Remove a camera and forget its credentials; the row stays for the recordings. Raises ``NotFoundError``."""
        now = datetime_of_wall(self._database.clock.wall_us())
        values = {"deleted_at": now, "updated_at": now, "status": Status.INACTIVE.value, "secret": None}
        there = (StreamTable.id == stream_id, StreamTable.deleted_at.is_(None))
        with self._database.begin() as connection:
            if connection.execute(update(_TABLE).where(*there).values(values)).rowcount == 0:
                raise NotFoundError("there is no such camera")

    def address(self, stream_id: str) -> Address:
        """The address with its credentials in the clear. Raises ``NotFoundError``."""
        return self._address(self._row(stream_id))

    def wanted(self) -> list[Stream]:
        """The cameras that are to run, for the fleet, in memory only: ``secret`` is ``user:password`` in the clear."""
        query = select(_TABLE).where(StreamTable.deleted_at.is_(None), StreamTable.status != Status.INACTIVE.value)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(StreamTable.id)).all()
        streams = []
        for row in rows:
            try:
                address = self._address(row)
            except ConfigurationError as error:
                # The camera will refuse us and says so on the page; the others must go on.
                log.error("camera %s: %s", row.id, error)
                address = Address(row.source_url)
            streams.append(
                Stream(
                    id=row.id,
                    name=row.name,
                    source_type=SourceType(row.source_type),
                    source_url=address.whole_url,
                    config=row.config,
                    secret=address.login,
                )
            )
        return streams

    def _address(self, row: Row[Any]) -> Address:
        secret = None if row.secret is None else self._secrets.reveal(row.secret, row.id)
        return Address.join(row.source_url, secret)

    def _closed(self, address: Address, stream_id: str) -> bytes | None:
        return None if address.secret is None else self._secrets.close(address.secret, stream_id)

    def _row(self, stream_id: str, *, removed: bool = False) -> Row[Any]:
        query = select(_TABLE).where(StreamTable.id == stream_id)
        if not removed:
            query = query.where(StreamTable.deleted_at.is_(None))
        with self._database.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError("there is no such camera")
        return row

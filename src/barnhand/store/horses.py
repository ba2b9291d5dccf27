"""Horses, how they look, where they were seen, and corrections by people."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from barnhand.core.errors import ConfigurationError, NotFoundError
from barnhand.core.time import datetime_of_wall, wall_of_datetime
from barnhand.store import timeseries
from barnhand.store.database import Database, unhurried
from barnhand.store.farms import default_farm
from barnhand.store.records import HorseRecord, Look, Sighting
from barnhand.store.tables import HorseLook, HorseTable, StreamHorse, table_of

_TABLE = table_of(HorseTable)
CHANGEABLE = ("name", "breed", "age", "color", "markings", "metadata")
LOOKS_LIMIT = 100_000

# Hours whose figures a merge changes; the roll-up makes them anew, and waits for the merge where it has the hour already.
_MARK_HOURS = text("""
    insert into stale_hours (hour)
    select distinct date_trunc('hour', time, 'UTC') from detections where horse_id = cast(:old as uuid)
    order by 1 on conflict (hour) do update set hour = excluded.hour
""")
_MOVE = (
    text("""
        update detections set
            horse_id = cast(:new as uuid),
            certainty = case
                when certainty = 'unknown' and time < cast(:told as timestamptz) then 'confirmed' else certainty
            end
        where horse_id = cast(:old as uuid)
    """),
    text("update tracks set horse_id = cast(:new as uuid) where horse_id = cast(:old as uuid)"),
    text("""
        insert into horse_looks (horse_id, kind, embedding, taken_us, network, stream_id, track_id, vouched)
        select cast(:new as uuid), kind, embedding, taken_us, network, stream_id, track_id, vouched
        from horse_looks where horse_id = cast(:old as uuid)
        on conflict do nothing
    """),
    text("delete from horse_looks where horse_id = cast(:old as uuid)"),
    text("""
        insert into stream_horses (stream_id, horse_id, first_detected, last_seen)
        select stream_id, cast(:new as uuid), first_detected, last_seen from stream_horses where horse_id = cast(:old as uuid)
        on conflict (stream_id, horse_id) do update set
            first_detected = least(stream_horses.first_detected, excluded.first_detected),
            last_seen = greatest(stream_horses.last_seen, excluded.last_seen)
    """),
    text("delete from stream_horses where horse_id = cast(:old as uuid)"),
    text(
        "update horses set merged_into = cast(:new as uuid) where id = cast(:old as uuid) or merged_into = cast(:old as uuid)"
    ),
)


def _record(row: Row[Any]) -> HorseRecord:
    fields = row._mapping
    return HorseRecord(**{name: fields[name] for name in HorseRecord.__dataclass_fields__})


def gallery_row(horse_id: str, name: str, stranger: bool, created_at: datetime) -> dict[str, Any]:
    """A horse as identity's gallery takes it."""
    return {"id": horse_id, "name": name, "stranger": stranger, "created_us": wall_of_datetime(created_at)}


def real_horse(connection: Connection, horse_id: str) -> Row[Any]:
    """The row of a horse, or of the one it was merged into. Raises ``NotFoundError``."""
    row = connection.execute(select(_TABLE).where(HorseTable.id == horse_id)).one_or_none()
    if row is not None and row.merged_into is not None:
        row = connection.execute(select(_TABLE).where(HorseTable.id == row.merged_into)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such horse")
    return row


class Horses:
    """Reads and writes horses. Strangers come through the spool; people's words come here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, farm_id: str | None = None, *, stranger: bool | None = None) -> list[HorseRecord]:
        """All that were not merged into another: named ones by name, then strangers."""
        query = select(_TABLE).where(HorseTable.merged_into.is_(None))
        if farm_id is not None:
            query = query.where(HorseTable.farm_id == farm_id)
        if stranger is not None:
            query = query.where(HorseTable.stranger == stranger)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(HorseTable.stranger, HorseTable.name, HorseTable.id))
            return [_record(row) for row in rows]

    def get(self, horse_id: str) -> HorseRecord:
        """One, or the one it was merged into. Raises ``NotFoundError``."""
        with self._database.begin() as connection:
            return _record(real_horse(connection, horse_id))

    def create(
        self,
        *,
        name: str,
        farm_id: str | None = None,
        breed: str | None = None,
        age: int | None = None,
        color: str | None = None,
        markings: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> HorseRecord:
        """A horse that a person adds. Raises ``ConfigurationError`` for a yard that is not there."""
        now_us = self._database.clock.wall_us()
        now = datetime_of_wall(now_us)
        try:
            with self._database.begin() as connection:
                values = {
                    "id": str(uuid.uuid4()),
                    "farm_id": farm_id or default_farm(connection, now_us),
                    "name": name,
                    "stranger": False,
                    "named_by_person": True,
                    "breed": breed,
                    "age": age,
                    "color": color,
                    "markings": markings,
                    "metadata": dict(metadata or {}),
                    "created_at": now,
                    "updated_at": now,
                }
                return _record(connection.execute(insert(_TABLE).values(values).returning(_TABLE)).one())
        except (IntegrityError, DataError) as error:
            raise ConfigurationError("there is no such yard; leave farm_id out to use the first one") from error

    def update(self, horse_id: str, changes: Mapping[str, Any]) -> HorseRecord:
        """Change what ``changes`` names; a name makes a stranger a horse. Raises ``NotFoundError``."""
        values = {key: changes[key] for key in CHANGEABLE if key in changes}
        for key in ("name", "metadata"):
            if key in values and values[key] is None:
                del values[key]
        now = datetime_of_wall(self._database.clock.wall_us())
        values["updated_at"] = now
        with self._database.begin() as connection:
            real = real_horse(connection, horse_id)
            if "name" in values:
                values |= {"stranger": False, "named_by_person": True}
                if real.stranger:
                    values["named_at"] = now
            query = update(_TABLE).where(HorseTable.id == real.id).values(values).returning(_TABLE)
            return _record(connection.execute(query).one())

    def merge(self, horse_id: str, into: str) -> HorseRecord:
        """Make all that was seen of ``horse_id`` that of ``into``, in the past too.

        Raises ``NotFoundError`` and, for a horse and itself, ``ConfigurationError``.
        """
        with self._database.begin() as connection:
            try:
                old, new = real_horse(connection, horse_id), real_horse(connection, into)
            except DataError as error:
                raise NotFoundError("there is no such horse to merge into") from error
            if old.id == new.id:
                raise ConfigurationError("these are the same horse already; choose another to merge into")
            told = datetime_of_wall(self._database.clock.wall_us()) if old.stranger else old.named_at
            names = {"old": old.id, "new": new.id, "told": told}
            unhurried(connection)
            timeseries.lift_limits(connection)
            # The writer holds this lock while it puts rows in: none comes in under the old id behind our back.
            connection.exec_driver_sql("lock table stream_horses in share row exclusive mode")
            connection.execute(_MARK_HOURS, names)
            for statement in _MOVE:
                connection.execute(statement, names)
            return _record(new)

    def sightings(self, horse_ids: Sequence[str]) -> dict[str, list[Sighting]]:
        """Which cameras saw each horse, the last one first."""
        query = (
            select(StreamHorse.stream_id, StreamHorse.horse_id, StreamHorse.first_detected, StreamHorse.last_seen)
            .where(StreamHorse.horse_id.in_(horse_ids))
            .order_by(StreamHorse.last_seen.desc())
        )
        found: dict[str, list[Sighting]] = {}
        with self._database.begin() as connection:
            for row in connection.execute(query):
                found.setdefault(row.horse_id, []).append(Sighting(*row))
        return found

    def looks(self, farm_id: str | None = None) -> list[Look]:
        """The gallery: every look of every horse, the newest last."""
        query = (
            select(
                HorseLook.horse_id,
                HorseTable.name,
                HorseLook.kind,
                HorseLook.embedding,
                HorseLook.taken_us,
                HorseLook.network,
                HorseLook.stream_id,
                HorseLook.track_id,
                HorseLook.vouched,
            )
            .join(HorseTable, HorseTable.id == HorseLook.horse_id)
            .order_by(HorseLook.taken_us, HorseLook.id)
            .limit(LOOKS_LIMIT)
        )
        if farm_id is not None:
            query = query.where(HorseTable.farm_id == farm_id)
        with self._database.begin() as connection:
            rows = connection.execute(query).mappings().all()
        return [Look(**{**row, "embedding": tuple(row["embedding"])}) for row in rows]

    def gallery(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All that identity needs to know after a start, as ``(kind, row)``: horses, then looks, then merges."""
        last_seen = select(func.max(StreamHorse.last_seen)).where(StreamHorse.horse_id == HorseTable.id).scalar_subquery()
        query = select(
            HorseTable.id,
            HorseTable.name,
            HorseTable.stranger,
            HorseTable.created_at,
            HorseTable.merged_into,
            last_seen.label("seen"),
        )
        with self._database.begin() as connection:
            horses = connection.execute(query.order_by(HorseTable.created_at, HorseTable.id)).all()
        for row in horses:
            if row.merged_into is None:
                seen_us = 0 if row.seen is None else wall_of_datetime(row.seen)
                yield "horse", {**gallery_row(row.id, row.name, row.stranger, row.created_at), "seen_us": seen_us}
        for look in self.looks():
            fields = {name: getattr(look, name) for name in Look.__dataclass_fields__ if name != "name"}
            yield "look", {**fields, "embedding": list(look.embedding)}
        for row in horses:
            if row.merged_into is not None:
                yield "merge", {"horse_id": row.id, "into": row.merged_into}

    def count(self) -> int:
        """How many there are, strangers included."""
        with self._database.begin() as connection:
            return connection.scalar(select(func.count()).select_from(_TABLE).where(HorseTable.merged_into.is_(None))) or 0

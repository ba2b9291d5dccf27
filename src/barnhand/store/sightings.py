"""Which camera saw which horse, first and last: one row a pair, moved by what is seen and by what people correct."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from barnhand.store.tables import Detection, StreamHorse, table_of

Spans = Mapping[tuple[str, str], tuple[datetime, datetime]]
"""Stream and horse → first and last time."""


def see_more(connection: Connection, spans: Spans) -> None:
    """Horses were seen from the first to the last time given: their sightings begin no later and end no earlier."""
    if not spans:
        return
    statement = upsert(table_of(StreamHorse))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["stream_id", "horse_id"],
            set_={
                "first_detected": func.least(statement.excluded.first_detected, StreamHorse.first_detected),
                "last_seen": func.greatest(statement.excluded.last_seen, StreamHorse.last_seen),
            },
        ),
        [
            {"stream_id": stream, "horse_id": horse, "first_detected": first, "last_seen": last}
            for (stream, horse), (first, last) in sorted(spans.items())
        ],
    )


def see_less(connection: Connection, stream_id: str, horse_id: str, first: datetime, last: datetime) -> None:
    """What was seen from ``first`` to ``last`` was not the horse: its sighting ends with what is left."""
    ours = (StreamHorse.stream_id == stream_id, StreamHorse.horse_id == horse_id)
    known = connection.execute(select(StreamHorse.first_detected, StreamHorse.last_seen).where(*ours)).one_or_none()
    if known is None:
        return
    left = select(Detection.time).where(Detection.stream_id == stream_id, Detection.horse_id == horse_id).limit(1)
    # An end that lies elsewhere stays: its detections may have been dropped by age.
    ends = [
        known.first_detected if known.first_detected < first else connection.scalar(left.order_by(Detection.time)),
        known.last_seen if known.last_seen > last else connection.scalar(left.order_by(Detection.time.desc())),
    ]
    found = [end for end in ends if end is not None]
    table = table_of(StreamHorse)
    if found:
        connection.execute(update(table).where(*ours).values(first_detected=min(found), last_seen=max(found)))
    else:
        connection.execute(table.delete().where(*ours))

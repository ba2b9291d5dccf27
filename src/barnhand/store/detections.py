"""What was seen, by time."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, select, tuple_

from barnhand.core.errors import ConfigurationError
from barnhand.core.identity import Certainty
from barnhand.core.time import datetime_of_wall, wall_of_datetime
from barnhand.store.database import Database
from barnhand.store.records import DetectionRecord
from barnhand.store.tables import Detection, HorseTable

_LAST_US = wall_of_datetime(datetime(9999, 1, 1, tzinfo=UTC))


def moment(wall_us: int) -> datetime:
    """``wall_us`` as the database has it; the end of time where it lies beyond."""
    return datetime_of_wall(max(0, min(wall_us, _LAST_US)))


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: the time and track of its last row."""

    time_us: int
    track_id: int

    def text(self) -> str:
        """As a client gets it: not to be looked into."""
        return base64.urlsafe_b64encode(f"{self.time_us}.{self.track_id}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Back from ``text``. Raises ``ConfigurationError`` for anything else."""
        try:
            time_us, _, track_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(".")
            return cls(int(time_us), int(track_id))
        except (ValueError, binascii.Error) as error:
            raise ConfigurationError("the cursor is not one; send X-Next-Cursor of the page before unchanged") from error


def _query() -> Select[Any]:
    # A stranger is "unknown" in its rows; a person who named it since has said who was in them.
    told = and_(Detection.certainty == Certainty.UNKNOWN.value, Detection.time < HorseTable.named_at)
    certainty = case((told, Certainty.CONFIRMED.value), else_=Detection.certainty)
    return select(Detection.__table__, HorseTable.name.label("horse_name"), certainty.label("certainty_told")).join(
        HorseTable, HorseTable.id == Detection.horse_id, isouter=True
    )


def _record(row: Row[Any]) -> DetectionRecord:
    return DetectionRecord(
        time_us=wall_of_datetime(row.time),
        stream_id=row.stream_id,
        track_id=row.track_id,
        horse_id=row.horse_id,
        horse_name=row.horse_name,
        pts=row.pts,
        width=row.width,
        height=row.height,
        bbox=row.bbox,
        confidence=row.confidence,
        certainty=row.certainty_told,
        similarity=row.similarity,
        color=row.color,
        skeleton=row.skeleton,
        keypoints=None if row.pose_keypoints is None else tuple(row.pose_keypoints),
        interpolated=row.interpolated,
        metrics=row.metrics,
    )


class Detections:
    """Reads detections; their rows are written by the spool's writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        stream_id: str,
        *,
        horse_id: str | None = None,
        start_us: int = 0,
        end_us: int = _LAST_US,
        after: Cursor | None = None,
        limit: int = 100,
    ) -> list[DetectionRecord]:
        """Those of a stream from ``start_us`` to before ``end_us``, newest first, beyond ``after``."""
        query = _query().where(
            Detection.stream_id == stream_id, Detection.time >= moment(start_us), Detection.time < moment(end_us)
        )
        if horse_id is not None:
            query = query.where(Detection.horse_id == horse_id)
        if after is not None:
            # The plain bound on time is for the planner, which cuts days off by it; the pair is the exact one.
            query = query.where(
                Detection.time <= moment(after.time_us),
                tuple_(Detection.time, Detection.track_id) < tuple_(moment(after.time_us), after.track_id),
            )
        query = query.order_by(Detection.time.desc(), Detection.track_id.desc()).limit(limit)
        with self._database.begin() as connection:
            return [_record(row) for row in connection.execute(query)]

    def stretch(self, stream_id: str, start_us: int, end_us: int, *, limit: int) -> tuple[list[DetectionRecord], int | None]:
        """Those of a stream from ``start_us`` to before ``end_us``, oldest first, whole pictures only.

        The second value is the time to go on from when there are more than ``limit``, else ``None``.
        """
        query = (
            _query()
            .where(Detection.stream_id == stream_id, Detection.time >= moment(start_us), Detection.time < moment(end_us))
            .order_by(Detection.time, Detection.track_id)
            .limit(limit + 1)
        )
        with self._database.begin() as connection:
            rows = [_record(row) for row in connection.execute(query)]
        if len(rows) <= limit:
            return rows, None
        next_us = rows[-1].time_us
        whole = [row for row in rows if row.time_us < next_us]
        if not whole:
            raise ConfigurationError(f"one picture has more than {limit} horses; raise the limit of the overlay")
        return whole, next_us

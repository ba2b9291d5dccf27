"""Builders of rows for the tests of the store and of the api."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import Engine, text

from barnhand.core.chunk import Chunk
from barnhand.core.identity import Certainty, Identity
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.time import pts_of_wall
from barnhand.store.writer import Writer

NOON_US = 1_795_608_000_000_000
"""2026-11-25T12:00:00Z, a full hour."""


def drain(writer: Writer) -> None:
    while writer.step():
        pass


def count(engine: Engine, table: str) -> int:
    with engine.begin() as connection:
        found = connection.scalar(text(f"select count(*) from {table}"))
    assert isinstance(found, int)
    return found


def chunk_of(stream_id: str, start_us: int, **changes: Any) -> Chunk:
    """Ten seconds of a stream."""
    fields: dict[str, Any] = {
        "id": f"{stream_id}-{start_us}",
        "stream_id": stream_id,
        "path": f"{stream_id}/2026-11-25/{start_us}.mp4",
        "run": 7,
        "start_us": start_us,
        "end_us": start_us + 10_000_000,
        "start_pts": pts_of_wall(start_us),
        "end_pts": pts_of_wall(start_us + 10_000_000),
        "bytes": 2_000_000,
        "init_bytes": 800,
        "frames": 250,
        "codec": "h264",
        "mime": 'video/mp4; codecs="avc1.64001f"',
        "width": 1280,
        "height": 720,
        "discontinuity": False,
        "closed": True,
    }
    return Chunk(**{**fields, **changes})


def horse_seen(
    track_id: int = 1,
    horse_id: str | None = None,
    name: str | None = None,
    metrics: Mapping[str, float | None] | None = None,
    pose: bool = True,
) -> HorseObservation:
    """A horse in a picture."""
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    return HorseObservation(
        track_id=track_id,
        color="red",
        box=np.array([10, 20, 110, 220], np.float32),
        score=0.875,
        identity=Identity(horse_id, name, Certainty.CONFIRMED if horse_id else Certainty.UNKNOWN, 0.5),
        pose=Pose("horse-20", points, np.full(20, 0.5, np.float32)) if pose else None,
        metrics={"velocity": 1.5} if metrics is None else metrics,
    )


def observation_of(stream_id: str, wall_us: int, *horses: HorseObservation) -> Observation:
    """What was seen in a picture."""
    return Observation(stream_id, wall_us, pts_of_wall(wall_us), 1280, 720, horses)


def new_id() -> str:
    return str(uuid4())

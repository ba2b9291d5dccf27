"""What the repositories give: frozen records, times as integers or aware moments as the tables have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.stream import SourceType, Status


class Role(StrEnum):
    """What a person may do: each may do what those before it may."""

    VIEWER = "viewer"
    GROOM = "groom"
    VET = "vet"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what ``other`` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class UserRecord:
    """A person; ``password_hash`` never leaves the api."""

    id: str
    email: str
    role: Role
    created_at: datetime
    updated_at: datetime
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class FarmRecord:
    """A yard."""

    id: str
    name: str
    owner_id: str | None
    location: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class StreamRecord:
    """A camera as a person set it up. ``status`` is what was asked for; ``has_secret`` tells of credentials."""

    id: str
    farm_id: str
    name: str
    source_type: SourceType
    source_url: str
    status: Status
    config: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    has_secret: bool


@dataclass(frozen=True)
class StoredChunk:
    """A chunk and how far its analysis is; ``tries`` counts failed analyses."""

    chunk: Chunk
    state: ChunkState
    cause: str | None
    tries: int
    protected: bool


@dataclass(frozen=True)
class RecordingFacts:
    """What is kept of a stream: from the start of the first chunk to the end of the last."""

    first_us: int
    last_us: int
    chunks: int
    bytes: int


@dataclass(frozen=True)
class Sighting:
    """When a camera saw a horse first and last."""

    stream_id: str
    horse_id: str
    first_detected: datetime
    last_seen: datetime


@dataclass(frozen=True)
class HorseRecord:
    """A horse, named or a stranger."""

    id: str
    farm_id: str
    name: str
    stranger: bool
    breed: str | None
    age: int | None
    color: str | None
    markings: str | None
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Look:
    """One look of a horse: a unit vector, when it was taken, what made it and what it was learned from."""

    horse_id: str
    name: str
    kind: str
    embedding: tuple[float, ...]
    taken_us: int
    network: str | None
    stream_id: str | None
    track_id: int | None
    vouched: bool


@dataclass(frozen=True)
class DetectionRecord:
    """One horse in one picture. ``keypoints`` is x, y, confidence of each point of ``skeleton``, flat."""

    time_us: int
    stream_id: str
    track_id: int
    horse_id: str | None
    horse_name: str | None
    pts: int
    width: int
    height: int
    bbox: Mapping[str, float]
    confidence: float
    certainty: str
    similarity: float
    color: str
    skeleton: str | None
    keypoints: tuple[float, ...] | None
    interpolated: bool
    metrics: Mapping[str, float | None]


@dataclass(frozen=True)
class HourlyActivity:
    """One horse, one camera, one hour. ``observed_seconds`` is how much of the hour the camera was analysed."""

    hour: datetime
    stream_id: str
    horse_id: str
    detection_count: int
    avg_velocity: float | None
    max_velocity: float | None
    observed_seconds: float


@dataclass(frozen=True)
class Coverage:
    """How much of an hour a camera was analysed, horses or none."""

    hour: datetime
    stream_id: str
    pictures: int
    observed_seconds: float

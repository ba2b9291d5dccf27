"""What a spool's rows must be, kind by kind. Anything else is a ``BadRowError`` with its reason."""

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.errors import BarnHandError
from barnhand.core.identity import Certainty
from barnhand.core.skeleton import load_skeleton
from barnhand.core.stream import Cause

Data = Mapping[str, Any]


class BadRowError(ValueError):
    """A row that cannot be put into the database."""


@dataclass(frozen=True)
class HorseRow:
    """Kind ``horse``."""

    id: str
    name: str
    stranger: bool
    farm_id: str | None


@dataclass(frozen=True)
class LookRow:
    """Kind ``look``."""

    horse_id: str
    kind: str
    embedding: list[float]
    taken_us: int
    network: str | None
    stream_id: str | None
    track_id: int | None
    vouched: bool


@dataclass(frozen=True)
class LookDeletedRow:
    """Kind ``look_deleted``."""

    horse_id: str
    kind: str
    taken_us: int


@dataclass(frozen=True)
class TrackRow:
    """Kind ``track``."""

    stream_id: str
    track_id: int
    horse_id: str | None
    started_us: int
    ended_us: int | None


@dataclass(frozen=True)
class VerdictRow:
    """Kind ``chunk_analysed``."""

    id: str
    state: ChunkState
    cause: str | None


@dataclass(frozen=True)
class GapRow:
    """Kind ``gap``."""

    stream_id: str
    start_us: int
    end_us: int | None
    cause: str
    message: str


@dataclass(frozen=True)
class DetectionRow:
    """One horse of an observation, in the order of the columns of ``detections`` after time and stream."""

    track_id: int
    horse_id: str | None
    horse_name: str | None
    bbox: str
    confidence: float
    certainty: str
    similarity: float
    color: str
    skeleton: str | None
    keypoints: str | None
    interpolated: bool
    metrics: str


@dataclass(frozen=True)
class ObservationRow:
    """Kind ``observation``."""

    stream_id: str
    wall_us: int
    pts: int
    width: int
    height: int
    horses: tuple[DetectionRow, ...] = field(default=())


def _uuid(value: Any) -> str:
    if not isinstance(value, str):
        raise BadRowError(f"an id is a UUID as text, got {value!r}")
    return _canonical(value)


@lru_cache(maxsize=4096)
def _canonical(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError as error:
        raise BadRowError(f"an id is a UUID, got {value!r}") from error


def _optional_uuid(value: Any) -> str | None:
    return None if value is None else _uuid(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRowError(f"a whole number was expected, got {value!r}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadRowError(f"a finite number was expected, got {value!r}")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise BadRowError(f"a text was expected, got {value!r}")
    value.encode()  # half a surrogate pair is no text either: raises ValueError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRowError(f"true or false was expected, got {value!r}")
    return value


_CHUNK_FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": _text,
    "stream_id": _uuid,
    "path": _text,
    "run": _integer,
    "start_us": _integer,
    "end_us": _integer,
    "start_pts": _integer,
    "end_pts": _integer,
    "bytes": _integer,
    "init_bytes": _integer,
    "frames": _integer,
    "codec": _text,
    "mime": _text,
    "width": _integer,
    "height": _integer,
    "discontinuity": _flag,
    "closed": _flag,
}


def chunk(data: Data) -> Chunk:
    """The fields of ``core.chunk.Chunk``."""
    return Chunk(**{name: read(data[name]) for name, read in _CHUNK_FIELDS.items()})


def chunk_deleted(data: Data) -> str:
    """``{id}``."""
    return _text(data["id"])


def chunk_analysed(data: Data) -> VerdictRow:
    """``{id, state, cause}``; the contract's word ``processed`` is taken for ``analysed``."""
    cause = data.get("cause")
    return VerdictRow(_text(data["id"]), ChunkState(data["state"]), None if cause is None else _text(cause))


def gap(data: Data) -> GapRow:
    """The fields of ``core.chunk.Gap``."""
    end = data["end_us"]
    return GapRow(
        _uuid(data["stream_id"]),
        _integer(data["start_us"]),
        None if end is None else _integer(end),
        Cause(data["cause"]).value,
        _text(data["message"]),
    )


def horse(data: Data) -> HorseRow:
    """``{id, name, stranger, farm_id}``; the first yard without ``farm_id``."""
    return HorseRow(
        _uuid(data["id"]), _text(data["name"]), _flag(data.get("stranger", True)), _optional_uuid(data.get("farm_id"))
    )


def look(data: Data) -> LookRow:
    """``{horse_id, embedding, kind, taken_us, network?, stream_id?, track_id?, vouched?}``."""
    embedding = [_number(value) for value in data["embedding"]]
    if not embedding:
        raise BadRowError("a look has no embedding")
    network, track_id = data.get("network"), data.get("track_id")
    return LookRow(
        _uuid(data["horse_id"]),
        _text(data.get("kind", "side")),
        embedding,
        _integer(data["taken_us"]),
        None if network is None else _text(network),
        _optional_uuid(data.get("stream_id")),
        None if track_id is None else _integer(track_id),
        _flag(data.get("vouched", False)),
    )


def look_deleted(data: Data) -> LookDeletedRow:
    """``{horse_id, kind, taken_us}``."""
    return LookDeletedRow(_uuid(data["horse_id"]), _text(data["kind"]), _integer(data["taken_us"]))


def track(data: Data) -> TrackRow:
    """``{stream_id, track_id, horse_id, started_us, ended_us}``."""
    ended = data.get("ended_us")
    return TrackRow(
        _uuid(data["stream_id"]),
        _integer(data["track_id"]),
        _optional_uuid(data.get("horse_id")),
        _integer(data["started_us"]),
        None if ended is None else _integer(ended),
    )


def observation(data: Data) -> ObservationRow:
    """``core.observation.Observation.to_dict``."""
    return ObservationRow(
        _uuid(data["stream_id"]),
        _integer(data["wall_us"]),
        _integer(data["pts"]),
        _integer(data["width"]),
        _integer(data["height"]),
        tuple(_detection(row) for row in data["horses"]),
    )


def _detection(data: Data) -> DetectionRow:
    box = data["bbox"]
    pose = data["pose"]
    metrics = {_text(name): None if value is None else _number(value) for name, value in data["metrics"].items()}
    name = data["name"]
    return DetectionRow(
        track_id=_integer(data["track_id"]),
        horse_id=_optional_uuid(data["horse_id"]),
        horse_name=None if name is None else _text(name),
        bbox=orjson.dumps({side: _number(box[side]) for side in ("x", "y", "width", "height")}).decode(),
        confidence=_number(box["confidence"]),
        certainty=Certainty(data["certainty"]).value,
        similarity=_number(data["similarity"]),
        color=_text(data["color"]),
        skeleton=None if pose is None else _text(pose["skeleton"]),
        keypoints=None if pose is None else _keypoints(pose),
        interpolated=_flag(data.get("interpolated", False)),
        metrics=orjson.dumps(metrics).decode(),
    )


def _keypoints(pose: Data) -> str:
    """x, y, confidence of each point in the skeleton's order, as PostgreSQL writes an array.

    A point that is not there has confidence 0.
    """
    names = load_skeleton(pose["skeleton"]).points
    points = pose["keypoints"]
    if [point["name"] for point in points] != list(names):
        by_name = {point["name"]: point for point in points}
        points = [by_name[name] for name in names]
    flat: list[float] = []
    for point in points:
        x, y = point["x"], point["y"]
        flat += (0.0, 0.0, 0.0) if x is None or y is None else (x, y, point["confidence"])
    # One sum for sixty checks: it is no number when one of them is none.
    _number(math.fsum(flat))
    return "{" + ",".join(map(repr, flat)) + "}"


READERS = {
    "chunk": chunk,
    "chunk_deleted": chunk_deleted,
    "chunk_analysed": chunk_analysed,
    "gap": gap,
    "horse": horse,
    "look": look,
    "look_deleted": look_deleted,
    "track": track,
    "observation": observation,
}


def read(kind: str | None, data: Data) -> Any:
    """A row of a kind. Raises ``BadRowError``."""
    reader = READERS.get(kind or "")
    if reader is None:
        raise BadRowError("this line is not JSON with a kind" if kind is None else f"no rows of kind {kind!r} are known")
    try:
        return reader(data)
    except BadRowError:
        raise
    except KeyError as error:
        raise BadRowError(f"the field {error} is missing") from error
    except (TypeError, ValueError, AttributeError, OverflowError, BarnHandError) as error:
        raise BadRowError(f"{type(error).__name__}: {error}") from error

"""About ten seconds of a stream on disk, and the gaps between."""

from dataclasses import dataclass
from enum import StrEnum

from barnhand.core.stream import Cause


class ChunkState(StrEnum):
    """How far analysis of a chunk is."""

    PENDING = "pending"
    ANALYSED = "analysed"
    FAILED = "failed"

    @classmethod
    def _missing_(cls, value: object) -> "ChunkState | None":
        """The contract's word ``processed`` is taken for ``analysed``."""
        return cls.ANALYSED if value == "processed" else None


@dataclass(frozen=True)
class Chunk:
    """An init segment of ``init_bytes`` followed by fragments, ``bytes`` in all, in ``path`` (relative to the recordings).

    ``start_us``/``end_us`` and ``start_pts``/``end_pts`` span its video, the end being the end of the last frame;
    ``discontinuity`` is true when it does not continue the chunk before (a gap or a new run).
    """

    id: str
    stream_id: str
    path: str
    run: int
    start_us: int
    end_us: int
    start_pts: int
    end_pts: int
    bytes: int
    init_bytes: int
    frames: int
    codec: str
    mime: str
    width: int
    height: int
    discontinuity: bool
    closed: bool

    def __post_init__(self) -> None:
        if self.end_us < self.start_us or self.bytes < self.init_bytes:
            raise ValueError(f"chunk {self.id} ends before it starts or is shorter than its init segment")


@dataclass(frozen=True)
class Gap:
    """A stretch a stream was not recorded in, and why; ``end_us`` is ``None`` while it lasts."""

    stream_id: str
    start_us: int
    end_us: int | None
    cause: Cause
    message: str

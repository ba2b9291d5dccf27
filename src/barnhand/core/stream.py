"""A camera and the state it is in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SourceType(StrEnum):
    """Where a stream's video comes from."""

    RTSP = "rtsp"
    RTMP = "rtmp"
    YOUTUBE = "youtube"
    HLS = "hls"
    FILE = "file"


class Status(StrEnum):
    """The contract's three states."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ERROR = "error"


class Cause(StrEnum):
    """Why a stream is not delivering, each with its own sentence on the page."""

    NONE = "none"
    CONNECTING = "connecting"
    WRONG_PASSWORD = "wrong_password"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    UNSUPPORTED_CODEC = "unsupported_codec"
    NOT_VIDEO = "not_video"
    DAMAGED = "damaged"
    STALLED = "stalled"
    ENDED = "ended"
    DISK_FULL = "disk_full"
    STOPPED = "stopped"
    RESTARTED = "restarted"


@dataclass(frozen=True)
class Stream:
    """A camera as the services know it.

    ``source_url`` carries no login, though its query may carry a token: it is shown only as the store gives it.
    ``secret`` is ``user:password``, decrypted only in memory.
    """

    id: str
    name: str
    source_type: SourceType
    source_url: str
    config: Mapping[str, Any] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StreamState:
    """What a stream is doing now, as told by its recorder or its analyst."""

    stream_id: str
    status: Status
    cause: Cause
    message: str
    since_us: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The wire form."""
        return {
            "stream_id": self.stream_id,
            "status": self.status.value,
            "cause": self.cause.value,
            "message": self.message,
            "since_us": self.since_us,
            "details": dict(self.details),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "StreamState":
        """Read the wire form."""
        return cls(
            stream_id=str(data["stream_id"]),
            status=Status(data["status"]),
            cause=Cause(data["cause"]),
            message=str(data["message"]),
            since_us=int(data["since_us"]),
            details=dict(data.get("details", {})),
        )

"""Video made H.264 for those who cannot play what a camera sends: what is asked for and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from barnhand.core import errors
from barnhand.core.errors import BarnHandError, MediaError


class ConversionStatus(StrEnum):
    """What becomes of a wish to see a camera converted."""

    CONVERTING = "converting"
    UNTOUCHED = "untouched"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class ConversionState:
    """The answer to a wish; ``message`` is a sentence for a person, ``source_mime`` what the camera itself sends."""

    status: ConversionStatus
    message: str
    source_mime: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The wire form."""
        return {"status": self.status.value, "message": self.message, "source_mime": self.source_mime}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ConversionState":
        """Read the wire form."""
        return cls(ConversionStatus(data["status"]), str(data["message"]), str(data["source_mime"]))


class JobKind(StrEnum):
    """Which of the two files is wanted; each has a queue of its own."""

    CHUNK = "chunk"
    CLIP = "clip"


@dataclass(frozen=True)
class MediaJob:
    """A file to be made of recordings: one chunk converted, or with ``start_us``/``end_us`` a clip of that time.

    ``paths`` are chunk files relative to the recordings, oldest first; those in ``convert`` are to be H.264 in the clip.
    Nobody waits longer than ``wait_s`` seconds.
    """

    id: str
    stream_id: str
    paths: tuple[str, ...]
    convert: tuple[str, ...]
    wait_s: float
    start_us: int | None = None
    end_us: int | None = None

    @property
    def kind(self) -> JobKind:
        """Which queue it waits in."""
        return JobKind.CHUNK if self.start_us is None else JobKind.CLIP

    def to_dict(self) -> dict[str, Any]:
        """The wire form."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "MediaJob":
        """Read the wire form."""
        return cls(**{**data, "paths": tuple(data["paths"]), "convert": tuple(data["convert"])})


@dataclass(frozen=True)
class MediaAnswer:
    """Where the file is, relative to the folder of converted media, or which error stopped it."""

    file: str | None = None
    error: str | None = None
    message: str = ""

    @classmethod
    def of_error(cls, error: BarnHandError) -> "MediaAnswer":
        """Tell an error, so that the other side can raise it."""
        return cls(error=type(error).__name__, message=str(error))

    def result(self) -> str:
        """The file; raises the error that was told."""
        if self.file is not None:
            return self.file
        kind = getattr(errors, self.error or "", MediaError)
        raise kind(self.message) if isinstance(kind, type) and issubclass(kind, BarnHandError) else MediaError(self.message)

    def to_dict(self) -> dict[str, Any]:
        """The wire form."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "MediaAnswer":
        """Read the wire form."""
        return cls(**data)

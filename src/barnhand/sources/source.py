"""What every source is."""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from barnhand.core.media import AudioFormat, Packet, VideoFormat


class Source(Protocol):
    """An open camera; a context manager that closes it.

    ``video`` may be replaced while packets come: it is then set before the key packet it first holds for. ``audio`` is
    fixed, ``None`` when there is none or it is left out.
    """

    @property
    def video(self) -> VideoFormat:
        """The format of the packets from the latest on."""

    @property
    def audio(self) -> AudioFormat | None:
        """The format of the sound."""

    def packets(self) -> Iterator[Packet]:
        """Packets for as long as there are any; ends with a ``SourceError`` whose cause says why."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""

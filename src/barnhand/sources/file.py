"""A file as a camera: once or in a loop, at its own pace or as fast as it can be read."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import av

from barnhand.core.errors import MediaError, SourceError
from barnhand.core.media import AudioFormat, Packet, VideoFormat
from barnhand.core.stream import Cause, Stream
from barnhand.core.time import PTS_HZ, SECOND_US, Clock
from barnhand.sources.demux import Demuxer
from barnhand.sources.options import SourceOptions

_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"styp", b"wide"}


class FileSource:
    """A video file.

    ``stream.config`` keys: ``loop`` (default true: start over at the end, the timestamps going on) and ``pace`` (default
    true: hand packets on when they are due; false: as fast as they can be read). Without ``loop`` the end is a
    ``SourceError`` with cause ``ended``, or ``damaged`` when the file was cut.
    """

    def __init__(self, stream: Stream, options: SourceOptions, clock: Clock) -> None:
        self._path = path_of(stream.source_url)
        self._name = self._path.name
        self._loop = bool(stream.config.get("loop", True))
        self._pace = bool(stream.config.get("pace", True))
        self._options = options
        self._clock = clock
        self._container, self._demuxer = self._open()

    @property
    def video(self) -> VideoFormat:
        """The format of the packets from the latest on."""
        if self._demuxer.video is None:
            raise SourceError(f"{self._name} has no parameter sets; it is damaged", Cause.DAMAGED)
        return self._demuxer.video

    @property
    def audio(self) -> AudioFormat | None:
        """The format of the sound."""
        return self._demuxer.audio

    def packets(self) -> Iterator[Packet]:
        """Packets of one pass after the other."""
        shift = 0
        begun = self._clock.monotonic()
        while True:
            first: int | None = None
            end = count = 0
            try:
                for packet in self._demuxer.packets():
                    if first is None:
                        first = packet.dts
                    count += packet.video
                    end = max(end, packet.dts + packet.duration - first) if packet.video else end
                    yield self._due(packet, shift - first, begun)
            except (av.error.FFmpegError, OSError):
                raise SourceError(f"{self._name} is damaged after {end / PTS_HZ:.1f} s; copy it again", Cause.DAMAGED) from None
            if not count:
                raise SourceError(f"{self._name} holds no whole picture; copy it again", Cause.DAMAGED)
            if not self._loop:
                raise self._ended(end)
            shift += end
            self._container.close()
            self._container, self._demuxer = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()

    def _open(self) -> tuple[Any, Demuxer]:
        try:
            size = self._path.stat().st_size
            if self._path.is_dir():
                raise SourceError(f"{self._path} is a folder; name a video file in it", Cause.NOT_VIDEO)
            if self._loop and is_cut(self._path):
                # Played once a cut file gives what it has; as a camera it would jump back for ever without a word.
                raise SourceError(f"{self._name} is cut: its end is missing; copy it again", Cause.DAMAGED)
            container = av.open(str(self._path), options={"protocol_whitelist": "file,crypto,data"})
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            reason = "may not be read" if isinstance(error, PermissionError) else "does not exist"
            raise SourceError(f"{self._path} {reason}", Cause.NOT_FOUND) from None
        except (av.error.FFmpegError, OSError, ValueError):
            raise self._unreadable(size) from None
        try:
            return container, Demuxer(container, self._name, self._options, self._clock)
        except MediaError as error:
            container.close()
            raise SourceError(f"{self._name} is damaged: {error}", Cause.DAMAGED) from None
        except BaseException:
            container.close()
            raise

    def _unreadable(self, size: int) -> SourceError:
        if not size:
            return SourceError(f"{self._name} is empty; copy it again", Cause.DAMAGED)
        with self._path.open("rb") as file:
            begins = file.read(12)[4:8]
        if begins in _BOXES:
            return SourceError(f"{self._name} is cut: its index is missing; copy it again", Cause.DAMAGED)
        return SourceError(f"{self._name} is not a video file", Cause.NOT_VIDEO)

    def _ended(self, end: int) -> SourceError:
        declared = self._container.duration or 0
        read_us = end * SECOND_US // PTS_HZ
        if self._demuxer.corrupt or (declared and read_us < declared - SECOND_US and read_us < declared * 9 // 10):
            return SourceError(f"{self._name} ends early, after {end / PTS_HZ:.1f} s; copy it again", Cause.DAMAGED)
        return SourceError(f"{self._name} is at its end", Cause.ENDED)

    def _due(self, packet: Packet, shift: int, begun: float) -> Packet:
        dts = packet.dts + shift
        if self._pace:
            wait = begun + dts / PTS_HZ - self._clock.monotonic()
            if wait > 0:
                self._clock.sleep(wait)
        return Packet(packet.video, packet.pts + shift, dts, packet.duration, packet.key, packet.data, self._clock.wall_us())


def is_cut(path: Path) -> bool:
    """Whether an MP4 or MOV file ends before its last box does (ISO/IEC 14496-12 4.2). Only headers are read."""
    size = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            if len(head) < 8 or (at == 0 and head[4:8] not in _BOXES):
                return at > 0
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:
                return False  # 0: to the end of the file
            at += length
    return at > size


def path_of(address: str) -> Path:
    """A path as it is, or that of a ``file://`` address."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(address).expanduser()

"""Files made of recordings: a chunk converted, a clip of a time."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from barnhand.core.errors import DamagedMediaError, MediaError, NotFoundError
from barnhand.core.media import InitSegment
from barnhand.core.time import PTS_HZ, iso, pts_of_wall, wall_of_pts
from barnhand.fragments.reader import read_chunk
from barnhand.transcode.converter import Converter
from barnhand.transcode.options import TranscodeOptions

_SEAM = PTS_HZ // 2  # ticks; a longer pause between two pictures is a gap, and is left out of a clip


def convert_chunk(source: Path, target: Path, stream_id: str, options: TranscodeOptions) -> None:
    """A chunk file in H.264: the same run, times and sound. Raises ``NotFoundError`` and ``DamagedMediaError``."""
    converter: Converter | None = None
    pictures = 0
    try:
        with target.open("wb") as file:
            for item in read_chunk(source, stream_id):
                if isinstance(item, InitSegment):
                    converter = Converter(item, stream_id, item.run, options)
                    file.write(converter.init.data)
                elif converter is not None:
                    for made in converter.convert(item):
                        pictures += made.video
                        file.write(made.data)
            for made in converter.finish() if converter is not None else ():
                pictures += made.video
                file.write(made.data)
    except FileNotFoundError as error:
        raise NotFoundError("the file of this recording is gone; run barnhand check") from error
    if not pictures:
        raise DamagedMediaError("none of this recording's pictures can be decoded")


def cut_clip(chunks: Sequence[Path], target: Path, start_us: int, end_us: int) -> None:
    """One MP4 of the pictures and sound from ``start_us`` to ``end_us``, remuxed: nothing is encoded again.

    It begins at the key frame before ``start_us``; gaps are closed up. Raises ``NotFoundError`` when there is nothing in
    that time, ``MediaError`` when the camera changed its picture within it.
    """
    try:
        start, end = _key_before(chunks[0], pts_of_wall(start_us)), pts_of_wall(end_us)
        with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as out:
            clip = _Clip(out)
            for path in chunks:
                clip.add(path, start, end)
    except FileNotFoundError as error:
        raise NotFoundError("a file of these recordings is gone; run barnhand check") from error
    except av.error.InvalidDataError as error:
        raise DamagedMediaError("a file of these recordings is damaged; run barnhand check") from error


def _key_before(path: Path, pts: int) -> int:
    """The last key frame at or before ``pts``, or the first one of all."""
    found: int | None = None
    for item in read_chunk(path, ""):
        if not isinstance(item, InitSegment) and item.video and item.key:
            if found is not None and item.pts > pts:
                break
            found = item.pts
    return pts if found is None else found


class _Clip:
    """The file being written, and where it is in time."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._tracks: dict[str, Any] = {}
        self._look: tuple[bytes, int, int] | None = None
        self._shift: int | None = None  # ticks taken off: from the epoch to zero, and what gaps lasted
        self._expected = 0  # where the next picture's dts would follow without a gap
        self._heard = -1

    def add(self, path: Path, start: int, end: int) -> None:
        """Take the packets from ``start`` to ``end`` (ticks) of a chunk."""
        with av.open(str(path)) as chunk:
            self._describe(chunk)
            for packet in chunk.demux():
                if packet.pts is None or packet.dts is None or not packet.size or packet.stream.type not in self._tracks:
                    continue
                ticks = PTS_HZ * packet.time_base
                pts, dts, lasts = round(packet.pts * ticks), round(packet.dts * ticks), round((packet.duration or 0) * ticks)
                if pts >= start and dts < end:
                    self._write(packet, pts, dts, lasts)

    def _describe(self, chunk: Any) -> None:
        video = chunk.streams.video[0].codec_context
        look = (bytes(video.extradata), video.width, video.height)
        if self._look is None:
            for stream in (chunk.streams.video[0], *chunk.streams.audio[:1]):
                self._tracks[stream.type] = track = self._out.add_stream_from_template(stream)
                if stream.codec_context.name == "hevc":
                    track.codec_context.codec_tag = "hvc1"  # the only name for it that Apple's players take
            self._look = look
        elif look != self._look:
            when = iso(wall_of_pts(self._expected))[:19].replace("T", " ")
            raise MediaError(f"the camera changed its picture at {when} UTC; ask for a time before or after it")

    def _write(self, packet: Any, pts: int, dts: int, lasts: int) -> None:
        picture = packet.stream.type == "video"
        if self._shift is None:
            if not picture:
                return  # the clip begins with a picture
            self._shift = self._expected = dts
        if picture:
            if abs(dts - self._expected) > _SEAM:
                self._shift += dts - self._expected
            self._expected = dts + lasts
        elif dts - self._shift <= self._heard:
            return  # sound that overlaps the end of a gap
        else:
            self._heard = dts - self._shift
        packet.stream = self._tracks[packet.stream.type]
        packet.pts, packet.dts, packet.duration = pts - self._shift, dts - self._shift, lasts
        packet.time_base = Fraction(1, PTS_HZ)
        self._out.mux(packet)

"""One run of a camera's fragments as H.264 fragments: the same times, picture by picture."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from barnhand.core.media import Codec, Fragment, InitSegment, Packet
from barnhand.fragments.decoder import FragmentDecoder, Picture
from barnhand.fragments.writer import FragmentWriter
from barnhand.sources.nal import AccessUnit
from barnhand.transcode.encoder import Encoder
from barnhand.transcode.options import TranscodeOptions


class Conversion(Protocol):
    """What makes one run's fragments another's."""

    init: InitSegment

    def convert(self, fragment: Fragment, show: bool = True) -> Iterator[Fragment]:
        """The fragments that are ready with this one."""

    def skip(self) -> None:
        """What comes next does not continue what came: wait for a key frame."""

    def finish(self) -> Iterator[Fragment]:
        """The fragments still held back, at the end of a file."""


class Converter:
    """H.265 (or anything recorded) to H.264. Pictures keep ``pts``, ``wall_us`` and duration; sound passes untouched.

    As no picture builds on a later one any more, ``dts`` equals ``pts``. Raises ``UnsupportedCodecError``.
    """

    def __init__(self, source: InitSegment, stream_id: str, run: int, options: TranscodeOptions) -> None:
        self._decoder = FragmentDecoder(source, exact=True, threads=options.threads)
        self._encoder = Encoder(source.video.width, source.video.height, options)
        self._writer = FragmentWriter(stream_id, run, self._encoder.format, source.audio)
        self._shown: dict[int, Picture] = {}
        self._last = -1
        self.init = self._writer.init(source.wall_us)

    def convert(self, fragment: Fragment, show: bool = True) -> Iterator[Fragment]:
        """What is ready with this fragment; with ``show=False`` its picture is decoded, as others build on it, and left out."""
        if fragment.video:
            for picture in self._decoder.pictures(fragment, show):
                yield from self._encode(picture)
        elif self.init.audio is not None:
            yield replace(fragment, stream_id=self.init.stream_id, run=self.init.run)

    def skip(self) -> None:
        """Wait for the next key frame."""
        self._decoder.restart()

    def finish(self) -> Iterator[Fragment]:
        """What decoder and encoder hold back."""
        for picture in self._decoder.flush_pictures():
            yield from self._encode(picture)
        yield from self._fragments(self._encoder.flush())

    def _encode(self, picture: Picture) -> Iterator[Fragment]:
        if picture.pts <= self._last:
            return  # a damaged stream may show a picture twice; an encoder takes each time once
        self._last = picture.pts
        self._shown[picture.pts] = picture
        yield from self._fragments(self._encoder.encode(picture.image, picture.pts))

    def _fragments(self, units: Iterable[tuple[int, AccessUnit]]) -> Iterator[Fragment]:
        for pts, unit in units:
            picture = self._shown.pop(pts)
            packet = Packet(True, pts, pts, picture.duration, unit.key, unit.data, picture.wall_us)
            yield self._writer.fragment(packet, pts=pts, dts=pts, wall_us=picture.wall_us)


class Untouched:
    """A camera that sends H.264 already: the same fragments under the other name."""

    def __init__(self, source: InitSegment, stream_id: str, run: int) -> None:
        self.init = FragmentWriter(stream_id, run, source.video, source.audio).init(source.wall_us)
        self._waiting = False

    def convert(self, fragment: Fragment, show: bool = True) -> Iterator[Fragment]:  # noqa: ARG002 - all of a Conversion
        """The fragment itself, whether it is to be shown or not: others build on it."""
        if self._waiting and not (fragment.video and fragment.key):
            return
        self._waiting = False
        if fragment.video or self.init.audio is not None:
            yield replace(fragment, stream_id=self.init.stream_id, run=self.init.run)

    def skip(self) -> None:
        """Wait for the next key frame."""
        self._waiting = True

    def finish(self) -> Iterator[Fragment]:
        """Nothing is held back."""
        yield from ()


def needs_conversion(init: InitSegment) -> bool:
    """Whether a browser may be unable to play a run as it is."""
    return init.video.codec is not Codec.H264

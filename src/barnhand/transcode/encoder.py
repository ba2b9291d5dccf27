"""Pictures to H.264 by libx264: one access unit a picture at once, none held back."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from barnhand.core.errors import UnsupportedCodecError
from barnhand.core.media import Codec, VideoFormat
from barnhand.core.time import PTS_HZ
from barnhand.sources.nal import AccessUnit, access_unit, split_annex_b, video_format
from barnhand.transcode.options import TranscodeOptions

_LEAST = 32  # px; smaller than this libx264 does not take


def scaled(width: int, height: int, most: int) -> tuple[int, int]:
    """The size a picture is encoded at: at most ``most`` px wide, the same proportions, both even as 4:2:0 wants."""
    if width > most:
        width, height = most, round(height * most / width)
    return max(_LEAST, width - width % 2), max(_LEAST, height - height % 2)


class Encoder:
    """One libx264. ``format`` is what its pictures are decoded with; raises ``UnsupportedCodecError`` where there is none."""

    def __init__(self, width: int, height: int, options: TranscodeOptions) -> None:
        self._width, self._height = scaled(width, height, options.width)
        try:
            context = av.CodecContext.create("libx264", "w")
        except av.codec.codec.UnknownCodecError:
            raise UnsupportedCodecError("video cannot be converted here: FFmpeg was built without libx264") from None
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base = Fraction(1, PTS_HZ)
        # A guess that only chooses the level: without it every tick counts as a picture.
        context.framerate = Fraction(25)
        context.flags |= Flags.global_header
        context.thread_count = options.threads
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": str(options.quality),
            "maxrate": str(options.bit_rate),
            "bufsize": str(options.bit_rate),
            "g": str(options.key_pictures),
            "forced-idr": "1",
        }
        context.open()
        found = video_format(Codec.H264, split_annex_b(bytes(context.extradata or b"")))
        if found is None:
            raise UnsupportedCodecError("video cannot be converted here: libx264 tells no parameter sets")
        self.format: VideoFormat = found
        self._context = context

    def encode(self, image: Any, pts: int) -> Iterator[tuple[int, AccessUnit]]:
        """A picture of any size and pixel format; ``pts`` and access unit of what is ready, which is this one."""
        frame = image.reformat(width=self._width, height=self._height, format="yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, PTS_HZ)
        # A key frame stays one, so that both streams can be entered at the same pictures; what else the picture was in the
        # camera's stream would be taken for an order.
        frame.pict_type = PictureType.I if image.key_frame else PictureType.NONE
        yield from self._units(self._context.encode(frame))

    def flush(self) -> Iterator[tuple[int, AccessUnit]]:
        """What was held back."""
        yield from self._units(self._context.encode(None))

    def _units(self, packets: list[Any]) -> Iterator[tuple[int, AccessUnit]]:
        for packet in packets:
            yield packet.pts, access_unit(Codec.H264, split_annex_b(bytes(packet)))

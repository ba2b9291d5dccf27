"""Fragments to pictures, without probing: a bare codec context that is given the init segment's configuration record."""

import logging
from collections import OrderedDict
from dataclasses import dataclass

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from barnhand.core.frame import Frame
from barnhand.core.media import Codec, Fragment, InitSegment
from barnhand.core.time import PTS_HZ, wall_of_pts
from barnhand.fragments.reader import sample

_LOG = logging.getLogger(__name__)
_NAMES = {Codec.H264: "h264", Codec.HEVC: "hevc"}
_REMEMBERED = 256  # pictures whose wall time is kept while the decoder holds them back; no codec holds back more than 16


@dataclass(frozen=True)
class Picture:
    """A picture as the codec gave it, with the times of its fragment (ticks of 90 kHz, microseconds)."""

    image: VideoFrame
    pts: int
    wall_us: int
    duration: int


class FragmentDecoder:
    """Decodes one run of one stream.

    Every fragment must be decoded, as pictures build on one another, but only those wanted are converted to BGR, which is
    the dearer half at 1080p. After damage, or at the start, it waits for a key frame. The deblocking filter is skipped
    unless ``exact``: a quarter less work, and boxes and key points do not see the difference. With ``threads`` above one a
    picture comes as many fragments later as there are threads beyond the first.
    """

    def __init__(self, init: InitSegment, *, exact: bool = False, threads: int = 1) -> None:
        self.init = init
        self.damaged = 0
        self._exact = exact
        self._threads = threads
        self._pending: OrderedDict[int, tuple[int, int, bool]] = OrderedDict()
        self._waiting = True
        self._context = self._open()

    def wants(self, fragment: Fragment) -> bool:
        """Whether this decoder takes the fragment: video of its own run."""
        return fragment.video and fragment.run == self.init.run and fragment.stream_id == self.init.stream_id

    def decode(self, fragment: Fragment, want: bool = True) -> list[Frame]:
        """The pictures that are complete with this fragment, oldest first; none for those decoded with ``want=False``.

        With B-frames a picture comes some fragments later than its own. A fragment that cannot be decoded counts in
        ``damaged`` and everything up to the next key frame is passed over.
        """
        return [self._frame(picture) for picture in self.pictures(fragment, want)]

    def pictures(self, fragment: Fragment, want: bool = True) -> list[Picture]:
        """The same as the codec gave them, in its own pixel format."""
        if not self.wants(fragment) or (self._waiting and not fragment.key):
            return []
        packet = av.Packet(bytes(sample(fragment)))
        packet.pts, packet.dts = fragment.pts, fragment.dts
        self._pending[fragment.pts] = (fragment.wall_us, fragment.duration, want)
        while len(self._pending) > _REMEMBERED:
            self._pending.popitem(last=False)
        try:
            images = self._context.decode(packet)
        except (av.error.InvalidDataError, av.error.UnknownError) as error:
            self.damaged += 1
            _LOG.warning("stream %s: a damaged picture, waiting for the next key frame (%s)", fragment.stream_id, error)
            self.restart()
            return []
        self._waiting = False
        return self._take(images)

    def flush(self) -> list[Frame]:
        """The pictures still held back, at the end of a file; the decoder then waits for a key frame."""
        return [self._frame(picture) for picture in self.flush_pictures()]

    def flush_pictures(self) -> list[Picture]:
        """The same as the codec gave them."""
        try:
            pictures = self._take(self._context.decode(None))
        except (av.error.EOFError, av.error.InvalidDataError):
            pictures = []
        self.restart()
        return pictures

    def restart(self) -> None:
        """Forget what is held back and wait for a key frame."""
        self._pending.clear()
        self._waiting = True
        self._context = self._open()

    def _open(self) -> VideoCodecContext:
        video = self.init.video
        context = av.CodecContext.create(_NAMES[video.codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.extradata = video.extradata
        # One thread a worker unless asked otherwise: frame threads add delay and fight each other.
        context.thread_count = self._threads
        if self._threads > 1:
            context.thread_type = "AUTO"
        context.options = {} if self._exact else {"skip_loop_filter": "all"}
        return context

    def _take(self, images: list[VideoFrame]) -> list[Picture]:
        pictures = []
        for image in images:
            if image.pts is None:
                continue
            wall_us, duration, want = self._pending.pop(image.pts, (wall_of_pts(image.pts), 0, False))
            if want:
                pictures.append(Picture(image, image.pts, wall_us, duration))
        return pictures

    def _frame(self, picture: Picture) -> Frame:
        image = np.ascontiguousarray(picture.image.to_ndarray(format="bgr24"), dtype=np.uint8)
        return Frame(self.init.stream_id, picture.wall_us, picture.pts, image)


def duration_us(fragment: Fragment) -> int:
    """How long a fragment's picture or sound lasts, in microseconds."""
    return fragment.duration * 1_000_000 // PTS_HZ

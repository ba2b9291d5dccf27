"""A camera's newest picture as JPEG, decoded on demand: only key frames, only when somebody asks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from barnhand.core.errors import DamagedMediaError, HubError, NotFoundError
from barnhand.core.frame import Image
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import Clock
from barnhand.hub.async_hub import AsyncHub
from barnhand.store.store import Store

QUALITY = 4
"""libavcodec's scale for JPEG: 2 is best, 31 worst."""

LIVE_WAIT_S = 1.5
RECENT_US = 3600 * 1_000_000
"""How far back the newest recording is looked for when the camera is not live."""

_NOTHING = "there is no picture of this camera yet; start it and wait a moment"


@dataclass(frozen=True)
class Picture:
    """A JPEG file and when it was taken."""

    jpeg: bytes
    wall_us: int


def encode_jpeg(image: Image) -> bytes:
    """``(height, width, 3)`` BGR as a JPEG file."""
    import av

    height, width = image.shape[:2]
    frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuvj420p")
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width - width % 2, height - height % 2, "yuvj420p"
    context.time_base = Fraction(1, 25)  # the encoder wants one; a single picture has no time
    context.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def decode_key(init: InitSegment, key: Fragment) -> Picture:
    """A key frame alone. Raises ``DamagedMediaError``."""
    from barnhand.fragments.decoder import FragmentDecoder

    decoder = FragmentDecoder(init, exact=True)
    frames = [*decoder.decode(key), *decoder.flush()]
    if not frames:
        raise DamagedMediaError("the camera's newest picture cannot be decoded; try again in a moment")
    return Picture(encode_jpeg(frames[0].image), frames[0].wall_us)


class Snapshots:
    """The newest picture of each stream, kept for a second so that a wall of cameras costs one decode each."""

    def __init__(self, hub: AsyncHub, store: Store, recordings: Callable[[], Path], age_s: float, clock: Clock) -> None:
        self._hub = hub
        self._store = store
        self._recordings = recordings
        self._age_s = age_s
        self._clock = clock
        self._kept: dict[str, tuple[float, Picture]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def newest(self, stream_id: str) -> Picture:
        """Raises ``NotFoundError`` for an unknown camera and while there is no picture."""
        lock = self._locks.setdefault(stream_id, asyncio.Lock())
        async with lock:
            kept = self._kept.get(stream_id)
            if kept is not None and self._clock.monotonic() - kept[0] < self._age_s:
                return kept[1]
            await asyncio.to_thread(self._store.streams.get, stream_id)
            picture = await self._live(stream_id)
            if picture is None:
                picture = await asyncio.to_thread(self._recorded, stream_id)
            self._kept[stream_id] = (self._clock.monotonic(), picture)
            return picture

    async def _live(self, stream_id: str) -> Picture | None:
        try:
            if await self._hub.init(stream_id) is None:
                return None
            async with asyncio.timeout(LIVE_WAIT_S):
                pair = await self._first_key(stream_id)
        except (HubError, TimeoutError):
            return None
        return await asyncio.to_thread(decode_key, *pair)

    async def _first_key(self, stream_id: str) -> tuple[InitSegment, Fragment]:
        init: InitSegment | None = None
        async for item in self._hub.live(stream_id):
            if isinstance(item, InitSegment):
                init = item
            elif item.video and item.key and init is not None:
                return init, item
        raise NotFoundError(_NOTHING)

    def _recorded(self, stream_id: str) -> Picture:
        from barnhand.fragments.reader import read_chunk

        facts = self._store.chunks.facts([stream_id]).get(stream_id)
        if facts is None:
            raise NotFoundError(_NOTHING)
        newest = self._store.chunks.between(stream_id, facts.last_us - RECENT_US, facts.last_us + 1)[-1].chunk
        init: InitSegment | None = None
        key: Fragment | None = None
        try:
            for item in read_chunk(self._recordings() / newest.path, stream_id):
                if isinstance(item, InitSegment):
                    init = item
                elif item.video and item.key:
                    key = item
        except (FileNotFoundError, DamagedMediaError) as error:
            raise NotFoundError(_NOTHING) from error
        if init is None or key is None:
            raise NotFoundError(_NOTHING)
        return decode_key(init, key)

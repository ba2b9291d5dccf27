"""A transcoder at work on a real hub, and what its tests ask it for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.sources.clips import read

from barnhand.core.conversion import ConversionState, MediaAnswer, MediaJob
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import SystemClock
from barnhand.fragments.decoder import FragmentDecoder
from barnhand.hub.async_hub import AsyncHub
from barnhand.hub.hub import Hub
from barnhand.hub.keys import converted, wish_key
from barnhand.hub.tasks import end
from barnhand.transcode.options import TranscodeOptions
from barnhand.transcode.transcoder import Transcoder

QUICK = TranscodeOptions(live=1, free_bytes=0, linger_s=0.3)


class Bench:
    """``hub`` is the recorder's; ``start`` begins a transcoder, ``close`` ends it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.hub = Hub(url)
        self.recordings = folder / "recordings"
        self.converted = folder / "converted"
        self.recordings.mkdir(exist_ok=True)
        self.transcoder: Transcoder | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, options: TranscodeOptions = QUICK) -> Transcoder:
        self.transcoder = Transcoder(Hub(self.url), self.recordings, self.converted, SystemClock(), options)
        self._thread = threading.Thread(target=self.transcoder.run, args=(self._stop,))
        self._thread.start()
        return self.transcoder

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.hub.close()

    def forget_wish(self, stream_id: str) -> None:
        """What six seconds without a viewer do."""
        self.hub._client.delete(wish_key(stream_id))

    def publish(self, init: InitSegment, fragments: Iterable[Fragment]) -> None:
        self.hub.publish_init(init)
        self.hub.publish_fragments(list(fragments))

    def make(self, job: MediaJob) -> MediaAnswer | None:
        """As the api asks."""

        async def ask() -> MediaAnswer | None:
            hub = AsyncHub(self.url)
            try:
                return await hub.conversions.make(job)
            finally:
                await hub.close()

        return asyncio.run(ask())


class Watching:
    """Somebody who wants a stream converted, wishes every tenth of a second and keeps what comes."""

    def __init__(self, hub: AsyncHub, stream_id: str) -> None:
        self._hub = hub
        self._stream_id = stream_id
        self.items: list[InitSegment | Fragment] = []
        self.states: list[ConversionState] = []

    async def wish(self) -> None:
        while True:
            state = await self._hub.conversions.wish(self._stream_id)
            if state is not None and state not in self.states[-1:]:
                self.states.append(state)
            await asyncio.sleep(0.1)

    async def read(self) -> None:
        async for item in self._hub.live(converted(self._stream_id)):
            self.items.append(item)

    @property
    def inits(self) -> list[InitSegment]:
        return [item for item in self.items if isinstance(item, InitSegment)]

    @property
    def fragments(self) -> list[Fragment]:
        return [item for item in self.items if isinstance(item, Fragment)]

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what} did not happen; {len(self.items)} items, {self.states}") from None


@asynccontextmanager
async def watching(url: str, stream_id: str) -> AsyncIterator[Watching]:
    hub = AsyncHub(url)
    watcher = Watching(hub, stream_id)
    tasks = [asyncio.create_task(watcher.wish()), asyncio.create_task(watcher.read())]
    try:
        yield watcher
    finally:
        await end(*tasks)
        await hub.close()


def numbers(init: InitSegment, fragments: Iterable[Fragment]) -> list[tuple[int, int]]:
    """``(pts, number in the pixels)`` of every picture that can be decoded."""
    decoder = FragmentDecoder(init)
    mine = (replace(fragment, stream_id=init.stream_id, run=init.run) for fragment in fragments)
    frames = [frame for fragment in mine for frame in decoder.decode(fragment)]
    return [(frame.pts, read(frame.image)) for frame in [*frames, *decoder.flush()]]

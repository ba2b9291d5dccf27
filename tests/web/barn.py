"""A yard with nothing played: an H.265 camera over RTSP, the recorder and the transcoder as the processes they are.

Only the analyst is: it knows what the target does, and reads from each key frame which picture it is.
"""

import threading
from collections import deque
from pathlib import Path

import numpy as np
from tests.web.pixels import read
from tests.web.target import FRAMES, observe
from tests.web.yard import ANALYSE_EVERY, Yard, free_port

from barnhand.app.child import Child
from barnhand.app.fleet import instruction
from barnhand.app.folder import DataFolder
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.stream import SourceType, Stream
from barnhand.fragments.decoder import FragmentDecoder

ANALYSIS_US = 400_000


class Barn:
    """``close`` ends every process."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._folder = DataFolder(yard.folder)
        self._folder.prepare()
        self._children: list[Child] = []
        self._seers: list[Seer] = []
        self.logs = self._folder.logs

    def transcoder(self, conversions: int = 1) -> Child:
        settings = {"data": str(self._folder.root), "conversions": conversions, "min_free_gb": 0}
        return self._start("transcoder", {"settings": settings, "hub_url": self._yard.hub_url})

    def camera(self, stream_id: str, file: Path) -> str:
        """A camera on RTSP, recorded from now on; its address."""
        port = free_port()
        self._start("cameras", {"clips": {"target": str(file)}, "port": port})
        url = f"rtsp://127.0.0.1:{port}/target"
        settings = {"data": str(self._folder.root), "min_free_gb": 0}
        recorder = self._start("recorder", {"settings": settings, "hub_url": self._yard.hub_url})
        recorder.instruct(instruction([Stream(stream_id, "target", SourceType.RTSP, url)]))
        seer = Seer(self._yard, stream_id)
        self._seers.append(seer)
        seer.start()
        return url

    def close(self) -> None:
        for seer in self._seers:
            seer.stop()
        for child in reversed(self._children):
            child.stop()

    def _start(self, role: str, configuration: dict[str, object]) -> Child:
        child = Child(role, role, configuration, self._folder.logs, self._yard.clock)
        child.start()
        self._children.append(child)
        return child


class Seer(threading.Thread):
    """Sees the target in every fifth picture that is recorded and tells hub and database, ``ANALYSIS_US`` later."""

    def __init__(self, yard: Yard, stream_id: str) -> None:
        super().__init__(daemon=True, name=f"seer {stream_id}")
        self._yard = yard
        self._stream_id = stream_id
        self._over = threading.Event()
        self._index = -1
        self._seen: deque[Observation] = deque()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        reader = self._yard.hub.live([self._stream_id])
        decoder: FragmentDecoder | None = None
        while not self._over.is_set():
            for item in reader.read(block_ms=40):
                if isinstance(item, InitSegment):
                    decoder = FragmentDecoder(item)
                elif decoder is not None and item.video:
                    self._look(item, decoder)
            while self._seen and self._seen[0].wall_us + ANALYSIS_US <= self._yard.clock.wall_us():
                told = self._seen.popleft()
                self._yard.hub.publish_observation(told)
                self._yard.spool.append("observation", [told.to_dict()])

    def _look(self, fragment: Fragment, decoder: FragmentDecoder) -> None:
        self._index += 1
        if fragment.key:
            frames = [*decoder.decode(fragment), *decoder.flush()]
            number = read(np.asarray(frames[0].image).astype(int)).number
            # The clip loops: the same number again is another pass of the target.
            self._index += (number - self._index) % FRAMES
        if self._index % ANALYSE_EVERY == 0:
            self._seen.append(observe(self._stream_id, self._index, fragment.wall_us, fragment.pts))

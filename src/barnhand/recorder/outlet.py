"""The way from the recorders to the hub: one thread, a bounded queue, nothing that could hold a camera up."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import StreamState
from barnhand.core.time import Clock
from barnhand.recorder.ports import Publisher

_LOG = logging.getLogger(__name__)
_RETRY_S = 0.5
_Event = tuple[str, Mapping[str, Any]]
_Item = Fragment | InitSegment | StreamState | _Event


class Outlet:
    """Publishes in the background.

    A hub that is away or slow costs live pictures only: the oldest are dropped, and a stream that lost one goes on with its
    next key frame. When the hub is back it gets every stream's init segment and state before anything else.
    """

    def __init__(self, publisher: Publisher, clock: Clock, *, queue_bytes: int, gather_s: float) -> None:
        self._publisher = publisher
        self._clock = clock
        self._limit = queue_bytes
        self._gather_s = gather_s
        self._queue: deque[_Item] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._broken: set[str] = set()
        self._inits: dict[str, InitSegment] = {}
        self._states: dict[str, StreamState] = {}
        self._away = False
        self._lost = False  # an init segment or a state was dropped
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="recorder-outlet", daemon=True)
        self._thread.start()

    def put(self, item: _Item) -> None:
        """Take something to publish; returns at once."""
        with self._lock:
            if isinstance(item, Fragment):
                self._bytes += len(item.data)
            elif isinstance(item, InitSegment):
                self._inits[item.stream_id] = item
            elif isinstance(item, StreamState):
                self._states[item.stream_id] = item
            self._queue.append(item)
            while self._bytes > self._limit or len(self._queue) > 100_000:
                oldest = self._queue.popleft()
                if isinstance(oldest, Fragment):
                    self._bytes -= len(oldest.data)
                    self._broken.add(oldest.stream_id)
                    self.dropped += 1
                else:
                    self._lost = True
        if not self._ready.is_set():
            self._ready.set()

    def forget(self, stream_id: str) -> None:
        """A stream is gone: do not publish its init segment again."""
        with self._lock:
            self._inits.pop(stream_id, None)

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for ``timeout_s`` at most."""
        self._stopping.set()
        self._ready.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            self._ready.wait()
            if not self._stopping.is_set() and self._gather_s:
                self._stopping.wait(self._gather_s)
            self._ready.clear()
            with self._lock:
                items, self._queue = self._queue, deque()
                self._bytes = 0
                broken, self._broken = self._broken, set()
                lost, self._lost = self._lost, False
            self._publish(items, broken, greet=lost or self._away)
            if self._stopping.is_set() and not self._queue:
                return

    def _publish(self, items: "deque[_Item]", broken: set[str], *, greet: bool) -> None:
        try:
            if greet:
                self._greet()
            self._send(items, broken)
            if self._away:
                _LOG.info("the hub is back; live pictures go on")
            self._away = False
        except Exception as error:  # noqa: BLE001 - whatever the hub's client raises must not stop live pictures for good
            if not self._away:
                _LOG.warning("the hub does not take live pictures (%s); recording goes on without it", error)
            self._away = True
            broken.update(item.stream_id for item in items if isinstance(item, Fragment))
            self._stopping.wait(_RETRY_S)
        with self._lock:
            self._broken |= broken

    def _greet(self) -> None:
        with self._lock:
            inits, states = list(self._inits.values()), list(self._states.values())
        for init in inits:
            self._publisher.publish_init(init)
        for state in states:
            self._publisher.publish_state(state)

    def _send(self, items: "deque[_Item]", broken: set[str]) -> None:
        batch: list[Fragment] = []
        for item in items:
            if isinstance(item, Fragment):
                if item.stream_id in broken:
                    if not (item.video and item.key):
                        continue
                    broken.discard(item.stream_id)
                batch.append(item)
                continue
            if batch:
                self._publisher.publish_fragments(batch)
                batch = []
            if isinstance(item, InitSegment):
                self._publisher.publish_init(item)
            elif isinstance(item, StreamState):
                self._publisher.publish_state(item)
            else:
                self._publisher.publish_event(*item)
        if batch:
            self._publisher.publish_fragments(batch)

"""One reader of the hub a stream, however many are watching.

A viewer has a mailbox. A live viewer whose mailbox is full is behind for good: what waits is thrown away and it goes on
from the next key frame. A viewer of updates loses the oldest.
"""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import orjson

from barnhand.api.wire import conversion, encode, head
from barnhand.core.conversion import ConversionState, ConversionStatus
from barnhand.core.errors import HubError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.time import Clock
from barnhand.hub.async_hub import AsyncHub
from barnhand.hub.keys import converted
from barnhand.hub.tasks import end

OBSERVATIONS_KEPT = 1_500
"""As many as the hub keeps of a stream: what a viewer can resume from."""

Message = str | bytes
Item = TypeVar("Item")
log = logging.getLogger(__name__)


class Mailbox:
    """Messages on their way to one viewer."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, *messages: Message) -> None:
        """Add messages."""
        self._waiting.extend(messages)
        self._some.set()

    def drop_oldest(self) -> None:
        """Lose one."""
        self._waiting.popleft()

    def clear(self) -> None:
        """Lose all."""
        self._waiting.clear()

    async def take(self) -> Message:
        """The oldest message; waits for one."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()


class Fanout(ABC, Generic[Item]):
    """Reads a source while anybody watches, and gives every item to every viewer."""

    def __init__(self, name: str, source: Callable[[], AsyncIterator[Item]]) -> None:
        self._name = name
        self._source = source
        self._tasks: list[asyncio.Task[None]] = []
        self.watchers = 0

    @abstractmethod
    def receive(self, item: Item) -> None:
        """What becomes of an item."""

    def forget(self) -> None:
        """Called when the last viewer is gone."""

    def enter(self) -> None:
        """One more watches."""
        self.watchers += 1
        if not self._tasks:
            self._tasks = [asyncio.create_task(work, name=self._name) for work in self.work()]

    async def leave(self) -> None:
        """One fewer watches."""
        self.watchers -= 1
        if self.watchers == 0:
            tasks, self._tasks = self._tasks, []
            await end(*tasks)
            if self.watchers == 0:
                self.forget()

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on while anybody watches; none of it ends by itself."""
        return [self._read()]

    async def _read(self) -> None:
        while True:
            try:
                async for item in self._source():
                    self.receive(item)
            except Exception:  # the edge of a worker: viewers wait rather than lose their picture for good
                log.exception("reading %s failed; trying again", self._name)
                await asyncio.sleep(1)


@dataclass(eq=False)
class _LiveViewer:
    mailbox: Mailbox = field(default_factory=Mailbox)
    # True until the init segment and a key frame have been put into the mailbox.
    waiting: bool = True


class LiveFanout(Fanout[InitSegment | Fragment]):
    """A stream's fragments."""

    def __init__(self, hub: AsyncHub, stream_id: str, backlog: int) -> None:
        super().__init__(f"live {stream_id}", lambda: hub.live(stream_id))
        self._backlog = backlog
        self._init: InitSegment | None = None
        self._group: list[Message] = []
        self.viewers: set[_LiveViewer] = set()

    def join(self) -> _LiveViewer:
        """A viewer that starts with the init segment and the newest key-frame group."""
        viewer = _LiveViewer()
        viewer.mailbox.put(*self.greeting())
        if self._init is not None and self._group:
            viewer.mailbox.put(*head(self._init), *self._group)
            viewer.waiting = False
        self.viewers.add(viewer)
        return viewer

    def greeting(self) -> list[Message]:
        """What a new viewer is told first."""
        return []

    def forget(self) -> None:
        """Nobody watches: what is held would be old when the next one comes."""
        self._init = None
        self._group = []

    def receive(self, item: InitSegment | Fragment) -> None:
        """Give an item to every viewer that is up to it."""
        if isinstance(item, InitSegment):
            self._init = item
            self._group = []
            for viewer in self.viewers:
                viewer.waiting = True
            return
        if self._init is None:
            return
        key = item.video and item.key
        message = encode(item)
        if key:
            self._group = []
        if key or self._group:
            self._group.append(message)
        for viewer in self.viewers:
            if len(viewer.mailbox) >= self._backlog:
                viewer.mailbox.clear()
                viewer.waiting = True
            if not viewer.waiting:
                viewer.mailbox.put(message)
            elif key:
                viewer.mailbox.put(*head(self._init), message)
                viewer.waiting = False


WISH_EVERY_S = 1.0
"""Seconds between two wishes: a sixth of how long one holds."""

FIRST_WISHES_S = 0.2
"""The same before the first answer, which a viewer is waiting for."""

ANSWER_S = 5.0
"""Seconds after which a wish without an answer means that there is no transcoder."""

NOBODY = ConversionState(
    ConversionStatus.FAILED, "Converting does not answer; it is started again by itself. The log of the transcoder says why."
)


class ConvertedFanout(LiveFanout):
    """A stream's fragments in H.264: wished for as long as anybody watches, with what becomes of the wish told first."""

    def __init__(self, hub: AsyncHub, stream_id: str, backlog: int, clock: Clock) -> None:
        super().__init__(hub, converted(stream_id), backlog)
        self._hub = hub
        self._stream_id = stream_id
        self._clock = clock
        self._told: ConversionState | None = None

    def greeting(self) -> list[Message]:
        """What is known of the conversion."""
        return [] if self._told is None else [conversion(self._told)]

    def forget(self) -> None:
        """Nobody watches."""
        super().forget()
        self._told = None

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """Wish besides reading."""
        return [*super().work(), self._wish()]

    async def _wish(self) -> None:
        answered = self._clock.monotonic()
        while True:
            state: ConversionState | None = None
            with contextlib.suppress(HubError):
                state = await self._hub.conversions.wish(self._stream_id)
            now = self._clock.monotonic()
            if state is not None:
                answered = now
            elif now - answered > ANSWER_S:
                state = NOBODY
            # A viewer without pictures is told again and again, so that it knows the line to be alive.
            quiet = state is not None and state.status in {ConversionStatus.WAITING, ConversionStatus.FAILED}
            if state is not None and (quiet or state != self._told):
                self._told = state
                for viewer in self.viewers:
                    viewer.mailbox.put(conversion(state))
            await asyncio.sleep(FIRST_WISHES_S if self._told is None else WISH_EVERY_S)


@dataclass(eq=False)
class _UpdateViewer:
    since_us: int
    mailbox: Mailbox = field(default_factory=Mailbox)


class UpdateFanout(Fanout[Observation]):
    """A stream's observations, and the events that concern it."""

    def __init__(self, hub: AsyncHub, stream_id: str, backlog: int) -> None:
        super().__init__(f"observations {stream_id}", lambda: hub.observations(stream_id, self._newest_us))
        self._backlog = backlog
        self._newest_us = 0
        self._kept: deque[tuple[int, Message]] = deque(maxlen=OBSERVATIONS_KEPT)
        self.viewers: set[_UpdateViewer] = set()

    def join(self, since_us: int) -> _UpdateViewer:
        """A viewer that starts after ``since_us`` as far as that is still held."""
        viewer = _UpdateViewer(since_us)
        for wall_us, message in self._kept:
            if wall_us > since_us:
                viewer.mailbox.put(message)
        self.viewers.add(viewer)
        return viewer

    def forget(self) -> None:
        """Nobody watches."""
        self._newest_us = 0
        self._kept.clear()

    def receive(self, item: Observation) -> None:
        """Give an observation to every viewer."""
        message = orjson.dumps({"type": "detection:update", **item.to_dict()}).decode()
        self._newest_us = item.wall_us
        self._kept.append((item.wall_us, message))
        for viewer in self.viewers:
            if item.wall_us > viewer.since_us:
                self._put(viewer, message)

    def tell(self, message: Message) -> None:
        """Give anything else to every viewer."""
        for viewer in self.viewers:
            self._put(viewer, message)

    def _put(self, viewer: _UpdateViewer, message: Message) -> None:
        # What was put in at the start may be more than the backlog; it is not thrown away for being long.
        if len(viewer.mailbox) >= max(self._backlog, OBSERVATIONS_KEPT + 1):
            viewer.mailbox.drop_oldest()
        viewer.mailbox.put(message)


class EventFanout(Fanout[tuple[str, dict[str, Any]]]):
    """All events; each goes to the viewers of the stream it names."""

    def __init__(self, hub: AsyncHub, updates: dict[str, UpdateFanout]) -> None:
        super().__init__("events", hub.events)
        self._updates = updates

    def receive(self, item: tuple[str, dict[str, Any]]) -> None:
        """Pass an event on."""
        name, payload = item
        fanout = self._updates.get(str(payload.get("stream_id")))
        if fanout is not None:
            fanout.tell(event_message(name, payload))


def event_message(name: str, payload: dict[str, Any]) -> str:
    """An event as the WebSocket sends it: ``state:recorder`` becomes type ``state`` with its role."""
    kind, _, role = name.partition(":")
    if kind == "state":
        return orjson.dumps({"type": "state", "role": role or "recorder", **payload}).decode()
    return orjson.dumps({"type": name, **payload}).decode()


class Fanouts:
    """Every stream that is watched now."""

    def __init__(self, hub: AsyncHub, backlog: int, clock: Clock) -> None:
        self._hub = hub
        self._backlog = backlog
        self._clock = clock
        self._live: dict[str, LiveFanout] = {}
        self._updates: dict[str, UpdateFanout] = {}
        self._events = EventFanout(hub, self._updates)

    def viewers(self) -> dict[str, int]:
        """How many watch fragments and how many updates."""
        return {
            "live": sum(fanout.watchers for fanout in self._live.values()),
            "updates": sum(fanout.watchers for fanout in self._updates.values()),
        }

    @asynccontextmanager
    async def live(self, stream_id: str, *, playable: bool = False) -> AsyncIterator[Mailbox]:
        """The mailbox of one more viewer of a stream's fragments; ``playable`` ones are H.264, whatever the camera sends."""
        name = converted(stream_id) if playable else stream_id
        fanout = self._live.get(name)
        if fanout is None:
            fanout = self._live[name] = (
                ConvertedFanout(self._hub, stream_id, self._backlog, self._clock)
                if playable
                else LiveFanout(self._hub, stream_id, self._backlog)
            )
        viewer = fanout.join()
        fanout.enter()
        try:
            yield viewer.mailbox
        finally:
            fanout.viewers.discard(viewer)
            await fanout.leave()
            if fanout.watchers == 0 and self._live.get(name) is fanout:
                del self._live[name]

    @asynccontextmanager
    async def updates(self, stream_id: str, since_us: int) -> AsyncIterator[Mailbox]:
        """The mailbox of one more viewer of a stream's observations and events."""
        fanout = self._updates.setdefault(stream_id, UpdateFanout(self._hub, stream_id, self._backlog))
        viewer = fanout.join(since_us)
        fanout.enter()
        self._events.enter()
        try:
            yield viewer.mailbox
        finally:
            fanout.viewers.discard(viewer)
            await fanout.leave()
            await self._events.leave()
            if fanout.watchers == 0 and self._updates.get(stream_id) is fanout:
                del self._updates[stream_id]

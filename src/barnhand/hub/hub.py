"""The hub as threads use it: recorders publish, analysts read."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import valkey
from valkey.exceptions import ValkeyError

from barnhand.core.errors import HubError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.stream import StreamState
from barnhand.hub import keys
from barnhand.hub.conversions import ConversionDesk
from barnhand.hub.cursor import LiveCursor

OBSERVATIONS_KEPT = 1_500
"""About five minutes of a camera at 5 analysed pictures a second."""

EVENTS_KEPT = 5_000
GROUP_LIMIT = 3_000
"""Fragments kept of a camera that sends no key frame for minutes."""


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except ValkeyError as error:
        raise HubError(f"the hub does not answer ({type(error).__name__}); it is tried again") from error


@dataclass
class _Publication:
    """What a publisher remembers of one stream."""

    run: int | None = None
    key_ids: list[bytes] = field(default_factory=list)
    sequence: int = -1


class Hub:
    """A connection to the hub, safe to share between threads.

    ``url`` is ``unix:///path``, ``redis://host:port`` or ``valkey://host:port``. Every method raises ``HubError`` when
    the hub is away; nothing is kept to be sent later, because what is live is worthless later.
    """

    def __init__(self, url: str) -> None:
        # The client's own types cannot say "bytes in, bytes out"; what leaves this file is typed.
        self._client: Any = valkey.Valkey.from_url(url, socket_connect_timeout=2, socket_timeout=8, health_check_interval=15)
        self._lock = threading.Lock()
        self._published: dict[str, _Publication] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def ping(self) -> None:
        """Raise ``HubError`` unless the hub answers."""
        with _speaking():
            self._client.ping()

    def publish_init(self, init: InitSegment) -> None:
        """Start a run: readers get the segment before any of the run's fragments. Saying it again does not disturb them."""
        fields = keys.init_fields(init)
        with self._lock:
            publication = self._published.setdefault(init.stream_id, _Publication())
            if publication.run != init.run:
                publication.run, publication.sequence = init.run, -1
        with _speaking():
            pipe = self._client.pipeline(transaction=True)
            pipe.hset(keys.init_key(init.stream_id), mapping=fields)
            pipe.xadd(keys.live_key(init.stream_id), {"i": 1, **fields})
            pipe.execute()

    def publish_fragments(self, fragments: Sequence[Fragment]) -> None:
        """Add fragments, of any streams, in one round trip; a key frame trims its stream to the last two groups."""
        pipe = self._client.pipeline(transaction=False)
        for fragment in fragments:
            with self._lock:
                publication = self._published.setdefault(fragment.stream_id, _Publication())
                publication.sequence += 1
                sequence = publication.sequence
                oldest = publication.key_ids[-1] if fragment.key and publication.key_ids else None
            trim: dict[str, Any] = {}
            if oldest is not None:
                trim = {"minid": oldest, "approximate": False}
            elif sequence % 256 == 255:
                trim = {"maxlen": GROUP_LIMIT}
            pipe.xadd(keys.live_key(fragment.stream_id), keys.fragment_fields(fragment, sequence), **trim)
        with _speaking():
            ids = pipe.execute()
        with self._lock:
            for fragment, entry_id in zip(fragments, ids, strict=True):
                if fragment.video and fragment.key:
                    self._published[fragment.stream_id].key_ids = [entry_id]

    def publish_observation(self, observation: Observation) -> None:
        """Add what was seen in one picture."""
        with _speaking():
            self._client.xadd(
                keys.observations_key(observation.stream_id),
                {"w": observation.wall_us, "o": orjson.dumps(observation.to_dict())},
                maxlen=OBSERVATIONS_KEPT,
            )

    def latest_observation(self, stream_id: str) -> Observation | None:
        """What was last seen, or ``None``."""
        with _speaking():
            rows = self._client.xrevrange(keys.observations_key(stream_id), count=1)
        return Observation.from_dict(orjson.loads(rows[0][1][b"o"])) if rows else None

    def publish_state(self, state: StreamState, role: str = "recorder") -> None:
        """Set a stream's state as ``recorder`` or ``analyst`` sees it, and tell it as the event ``state``."""
        data = orjson.dumps(state.to_dict())
        with _speaking():
            pipe = self._client.pipeline(transaction=True)
            pipe.hset(keys.states_key(role), state.stream_id, data)
            pipe.xadd(keys.EVENTS, {"n": f"state:{role}", "p": data}, maxlen=EVENTS_KEPT)
            pipe.execute()

    def states(self, role: str = "recorder") -> dict[str, StreamState]:
        """Every stream's last state, by stream id."""
        with _speaking():
            rows = self._client.hgetall(keys.states_key(role))
        return {key.decode(): StreamState.from_dict(orjson.loads(value)) for key, value in rows.items()}

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        """Tell everybody, e.g. ``chunk:created`` or ``streams:changed``."""
        with _speaking():
            self._client.xadd(keys.EVENTS, {"n": name, "p": orjson.dumps(dict(payload))}, maxlen=EVENTS_KEPT)

    def events(self) -> "EventReader":
        """A reader of the events from now on."""
        return EventReader(self._client)

    def forget(self, stream_id: str) -> None:
        """Remove all that is held of a stream that is gone."""
        with self._lock:
            self._published.pop(stream_id, None)
        with _speaking():
            pipe = self._client.pipeline(transaction=False)
            pipe.delete(keys.init_key(stream_id), keys.live_key(stream_id), keys.observations_key(stream_id))
            for role in ("recorder", "analyst"):
                pipe.hdel(keys.states_key(role), stream_id)
            pipe.execute()

    def save_checkpoint(self, name: str, data: bytes) -> None:
        """Keep what a worker needs to go on; a day later it is worthless and removed."""
        with _speaking():
            self._client.set(keys.checkpoint_key(name), data, ex=86_400)

    def load_checkpoint(self, name: str) -> bytes | None:
        """What was last saved, or ``None``."""
        with _speaking():
            return cast(bytes | None, self._client.get(keys.checkpoint_key(name)))

    def conversions(self) -> ConversionDesk:
        """What pages want converted."""
        return ConversionDesk(self._client, _speaking)

    def live(self, stream_ids: Iterable[str] = ()) -> "LiveReader":
        """A reader of fragments, starting at each stream's newest key-frame group."""
        return LiveReader(self._client, stream_ids)


class LiveReader:
    """Reads the fragments of several streams, each from its newest key-frame group on. One thread only."""

    def __init__(self, client: Any, stream_ids: Iterable[str]) -> None:
        self._client = client
        self._cursors: dict[str, LiveCursor] = {}
        self._joining: set[str] = set()
        for stream_id in stream_ids:
            self.add(stream_id)

    def add(self, stream_id: str) -> None:
        """Follow one more stream."""
        self._cursors[stream_id] = LiveCursor(stream_id)
        self._joining.add(stream_id)

    def remove(self, stream_id: str) -> None:
        """Follow a stream no longer."""
        self._cursors.pop(stream_id, None)
        self._joining.discard(stream_id)

    def skip_to_newest(self, stream_id: str) -> None:
        """Leave out what is waiting: the next read starts at the newest key-frame group, its init segment first."""
        if stream_id in self._cursors:
            self._joining.add(stream_id)

    def read(self, block_ms: int = 1000, count: int = 256) -> list[InitSegment | Fragment]:
        """What came since the last read, in order within each stream; waits up to ``block_ms`` when there is nothing."""
        found: list[InitSegment | Fragment] = []
        with _speaking():
            for stream_id in sorted(self._joining):
                found += self._join(stream_id)
            self._joining.clear()
            if not self._cursors:
                return found
            where = {keys.live_key(name): cursor.last_id for name, cursor in self._cursors.items()}
            answer = self._client.xread(where, count=count, block=None if found else max(1, block_ms))
        for key, rows in keys.stream_rows(answer):
            found += self._cursors[key.decode().removeprefix("live:")].advance(rows)
        return found

    def _join(self, stream_id: str) -> list[InitSegment | Fragment]:
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(keys.init_key(stream_id))
        pipe.xrange(keys.live_key(stream_id))
        init, rows = pipe.execute()
        return self._cursors[stream_id].join(init, rows)


class EventReader:
    """Reads events from the moment it was made. One thread only."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._last: bytes | str = "$"

    def read(self, block_ms: int = 1000) -> list[tuple[str, dict[str, Any]]]:
        """Name and payload of what happened since the last read; waits up to ``block_ms``."""
        with _speaking():
            if self._last == "$":
                newest = self._client.xrevrange(keys.EVENTS, count=1)
                self._last = newest[0][0] if newest else b"0"
            answer = self._client.xread({keys.EVENTS: self._last}, count=256, block=max(1, block_ms))
        found = []
        for _, rows in keys.stream_rows(answer):
            self._last = rows[-1][0]
            found += [(fields[b"n"].decode(), orjson.loads(fields[b"p"])) for _, fields in rows]
        return found

"""The hub as the api uses it: asynchronous iterators that survive the hub's absence."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import valkey.asyncio
from valkey.exceptions import ValkeyError

from barnhand.core.errors import HubError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.stream import StreamState
from barnhand.hub import keys
from barnhand.hub.conversions import AsyncConversions
from barnhand.hub.cursor import LiveCursor
from barnhand.hub.keys import stream_rows

RETRY_SECONDS = 0.5
BLOCK_MS = 2000


class AsyncHub:
    """A connection to the hub for one event loop.

    The iterators never end and never raise when the hub goes away: they wait for it and go on. Single questions
    (``states``, ``publish_event``) raise ``HubError`` at once, so that a request is answered.
    """

    def __init__(self, url: str) -> None:
        self._client: Any = valkey.asyncio.Valkey.from_url(url, socket_connect_timeout=2, max_connections=10_000)
        self.conversions = AsyncConversions(self._client, self._ask)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def ping(self) -> None:
        """Raise ``HubError`` unless the hub answers within two seconds."""
        await self._ask(self._client.ping())

    async def states(self, role: str = "recorder") -> dict[str, StreamState]:
        """Every stream's last state, by stream id."""
        rows = await self._ask(self._client.hgetall(keys.states_key(role)))
        return {key.decode(): StreamState.from_dict(orjson.loads(value)) for key, value in rows.items()}

    async def state(self, stream_id: str, role: str = "recorder") -> StreamState | None:
        """A stream's last state, or ``None`` when nobody told one."""
        row = await self._ask(self._client.hget(keys.states_key(role), stream_id))
        return None if row is None else StreamState.from_dict(orjson.loads(row))

    async def publish_event(self, name: str, payload: dict[str, Any]) -> None:
        """Tell everybody, e.g. ``streams:changed``."""
        await self._ask(self._client.xadd(keys.EVENTS, {"n": name, "p": orjson.dumps(payload)}, maxlen=5_000))

    async def init(self, stream_id: str) -> InitSegment | None:
        """The init segment of a stream's current run."""
        fields = await self._ask(self._client.hgetall(keys.init_key(stream_id)))
        return keys.read_init(stream_id, fields) if fields else None

    async def live(self, stream_id: str) -> AsyncIterator[InitSegment | Fragment]:
        """The init segment, the newest key-frame group, then everything as it comes."""
        cursor: LiveCursor | None = None
        while True:
            try:
                if cursor is None:
                    joined = LiveCursor(stream_id)
                    pipe = self._client.pipeline(transaction=True)
                    pipe.hgetall(keys.init_key(stream_id))
                    pipe.xrange(keys.live_key(stream_id))
                    init, rows = await pipe.execute()
                    found = joined.join(init, rows)
                    cursor = joined
                else:
                    found = cursor.advance(await self._read(keys.live_key(stream_id), cursor.last_id))
            except (ValkeyError, OSError):
                cursor = None
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for item in found:
                yield item

    async def observations(self, stream_id: str, since_us: int = 0) -> AsyncIterator[Observation]:
        """Observations after ``since_us`` that the hub still holds, then everything as it comes."""
        last: bytes | None = None
        newest = since_us
        key = keys.observations_key(stream_id)
        while True:
            try:
                rows = await self._read(key, last or b"0")
            except (ValkeyError, OSError):
                last = None
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for entry_id, fields in rows:
                last = entry_id
                wall_us = int(fields[b"w"])
                if wall_us > newest:
                    newest = wall_us
                    yield Observation.from_dict(orjson.loads(fields[b"o"]))

    async def events(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Name and payload of every event from now on."""
        last: bytes | None = None
        while True:
            try:
                if last is None:
                    newest = await self._client.xrevrange(keys.EVENTS, count=1)
                    last = newest[0][0] if newest else b"0"
                rows = await self._read(keys.EVENTS, last)
            except (ValkeyError, OSError):
                last = None
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for entry_id, fields in rows:
                last = entry_id
                yield fields[b"n"].decode(), orjson.loads(fields[b"p"])

    async def _read(self, key: str, last: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        answer: Any = await self._client.xread({key: last}, count=256, block=BLOCK_MS)
        if not answer:
            return []
        return stream_rows(answer)[0][1]

    async def _ask(self, question: Any, seconds: float = 2) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await question
        except (ValkeyError, OSError, TimeoutError) as error:
            raise HubError(f"the hub does not answer ({type(error).__name__}); try again in a moment") from error

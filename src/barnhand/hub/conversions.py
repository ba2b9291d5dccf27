"""Conversions over the hub: pages wish for a camera in H.264 or for a file, the transcoder answers.

A wish lasts some seconds and is said again while somebody watches; an answer likewise while there is a transcoder. So
neither side has to notice that the other was killed.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import orjson

from barnhand.core.conversion import ConversionState, JobKind, MediaAnswer, MediaJob
from barnhand.hub import keys

WISH_S = 6
"""Seconds for which a wish or an answer holds."""

TURN_S = 2.0
"""Seconds an answer is waited for at once."""

MOST_JOBS = 64
"""Files that may be waited for at once: more than a minute's work, so that a further one would wait in vain."""


class ConversionDesk:
    """The transcoder's side. Every method raises ``HubError`` when the hub is away."""

    def __init__(self, client: Any, speaking: Callable[[], AbstractContextManager[None]]) -> None:
        self._client = client
        self._speaking = speaking

    def wishes(self) -> list[str]:
        """Streams somebody wants to see converted now."""
        with self._speaking():
            named = sorted(self._client.smembers(keys.WISHES))
            if not named:
                return []
            held = self._client.mget([keys.wish_key(name.decode()) for name in named])
            over = [name for name, wish in zip(named, held, strict=True) if wish is None]
            if over:
                self._client.srem(keys.WISHES, *over)
        return [name.decode() for name, wish in zip(named, held, strict=True) if wish is not None]

    def answer(self, stream_id: str, state: ConversionState) -> None:
        """Say what becomes of a wish; to be said again within ``WISH_S``."""
        with self._speaking():
            self._client.set(keys.conversion_key(stream_id), orjson.dumps(state.to_dict()), ex=WISH_S)

    def end(self, stream_id: str) -> None:
        """Remove what is held of a conversion that is over."""
        converted = keys.converted(stream_id)
        with self._speaking():
            self._client.delete(keys.conversion_key(stream_id), keys.init_key(converted), keys.live_key(converted))

    def next_job(self, kind: JobKind, wait_s: int) -> MediaJob | None:
        """The file that was asked for first and is still waited for; ``None`` when there is none in ``wait_s``."""
        with self._speaking():
            found = self._client.blpop([keys.jobs_key(kind)], timeout=wait_s)
            if found is None:
                return None
            job = MediaJob.from_dict(orjson.loads(found[1]))
            return job if self._client.exists(keys.job_key(job.id)) else None

    def finish(self, job: MediaJob, answer: MediaAnswer) -> None:
        """Answer who waits for a file."""
        key = keys.answer_key(job.id)
        with self._speaking():
            pipe = self._client.pipeline(transaction=True)
            pipe.rpush(key, orjson.dumps(answer.to_dict()))
            pipe.expire(key, WISH_S)
            pipe.execute()


class AsyncConversions:
    """The api's side. Every method raises ``HubError`` when the hub is away."""

    def __init__(self, client: Any, ask: Callable[[Any, float], Any]) -> None:
        self._client = client
        self._ask = ask

    async def wish(self, stream_id: str) -> ConversionState | None:
        """Want a stream converted for the next seconds; what the transcoder answers, ``None`` while there is no answer."""
        pipe = self._client.pipeline(transaction=True)
        pipe.set(keys.wish_key(stream_id), 1, ex=WISH_S)
        pipe.sadd(keys.WISHES, stream_id)
        pipe.get(keys.conversion_key(stream_id))
        *_, told = await self._ask(pipe.execute(), 2)
        return None if told is None else ConversionState.from_dict(orjson.loads(told))

    async def make(self, job: MediaJob) -> MediaAnswer | None:
        """Have a file made; ``None`` when too many wait already or none came in ``job.wait_s``."""
        if await self._ask(self._client.llen(keys.jobs_key(job.kind)), 2) >= MOST_JOBS:
            return None
        pipe = self._client.pipeline(transaction=True)
        pipe.set(keys.job_key(job.id), 1, ex=max(1, round(job.wait_s)))
        pipe.rpush(keys.jobs_key(job.kind), orjson.dumps(job.to_dict()))
        await self._ask(pipe.execute(), 2)
        loop = asyncio.get_running_loop()
        end = loop.time() + job.wait_s
        # The client takes a longer silence for a dead connection.
        while (left := end - loop.time()) > 0:
            turn = min(TURN_S, left)
            found = await self._ask(self._client.blpop([keys.answer_key(job.id)], timeout=turn), turn + 2)
            if found is not None:
                return MediaAnswer.from_dict(orjson.loads(found[1]))
        return None

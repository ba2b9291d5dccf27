"""Files made of recordings by the transcoder: asked for over the hub, found in the folder both share."""

import asyncio
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from barnhand.api.problems import ProblemError
from barnhand.core.chunk import Chunk
from barnhand.core.conversion import MediaJob
from barnhand.hub.async_hub import AsyncHub

CHUNK_WAIT_S = 40.0
"""Seconds somebody who plays a recording waits for a chunk to be converted."""

CLIP_WAIT_S = 300.0

PLAYABLE = "h264"
"""The codec every browser plays, and the only one that is converted to."""


@dataclass
class Conversions:
    """What has been converted, and the way to have more."""

    hub: AsyncHub
    folder: Path
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def chunk(self, chunk: Chunk) -> Path:
        """The file of a closed chunk in H.264. Raises ``ProblemError`` 503 when it does not come in time."""
        path = self.folder / chunk.path
        # Players ask for init segment and pictures of a chunk at once: one conversion does for both.
        lock = self._locks.setdefault(chunk.path, asyncio.Lock())
        try:
            async with lock:
                if not path.is_file():
                    job = MediaJob(uuid.uuid4().hex, chunk.stream_id, (chunk.path,), (), CHUNK_WAIT_S)
                    path = await self._make(job)
        finally:
            if not lock.locked():
                self._locks.pop(chunk.path, None)
        with suppress(OSError):
            os.utime(path)  # the ones longest unused are removed first
        return path

    async def clip(self, chunks: Sequence[Chunk], start_us: int, end_us: int, *, convert: bool) -> Path:
        """A clip of ``start_us`` to ``end_us`` made of ``chunks``, for the caller to remove."""
        first = chunks[0]
        paths = tuple(chunk.path for chunk in chunks)
        converted = tuple(chunk.path for chunk in chunks if convert and chunk.codec != PLAYABLE)
        job = MediaJob(uuid.uuid4().hex, first.stream_id, paths, converted, CLIP_WAIT_S, start_us, end_us)
        return await self._make(job)

    async def _make(self, job: MediaJob) -> Path:
        answer = await self.hub.conversions.make(job)
        if answer is None:
            raise ProblemError(
                503, "the recording could not be converted in time; this machine is busy, try again", {"Retry-After": "10"}
            )
        return self.folder / answer.result()

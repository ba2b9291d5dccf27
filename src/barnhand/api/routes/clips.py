"""A time of a recording as one file to keep."""

import asyncio
import re
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from barnhand.api.problems import ProblemError, responses
from barnhand.api.routes.recordings import EndUs, Playable, StartUs, span
from barnhand.api.security import SIGNED_IN
from barnhand.api.services import Api, State
from barnhand.core.chunk import Chunk
from barnhand.core.time import SECOND_US, iso

router = APIRouter(tags=["recordings"], dependencies=[SIGNED_IN])

LONGEST_US = 10 * 60 * SECOND_US
LONGEST_CONVERTED_US = 2 * 60 * SECOND_US
"""Converting takes about a fifth of the time on a free core (``benchmarks/converting.py``)."""


def file_name(name: str, start_us: int) -> str:
    """``Foaling box 2026-11-25 12.00.00 UTC.mp4``: what every file system takes, in order when sorted."""
    plain = re.sub(r"[^\w .()-]+", "_", name).strip(" .") or "camera"
    return f"{plain[:80]} {iso(start_us)[:19].replace('T', ' ').replace(':', '.')} UTC.mp4"


@router.get(
    "/streams/{stream_id}/clip.mp4",
    response_class=FileResponse,
    responses={
        200: {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}},
        **responses(401, 404, 422, 503, 507),
    },
)
async def clip(api: Api, stream_id: UUID, start_us: StartUs, end_us: EndUs, codec: Playable = None) -> Response:
    """One MP4 of a time, from the key frame before it on, gaps closed up, the pictures as the camera sent them.

    Ten minutes at most; with ``codec=h264`` H.265 is converted, two minutes at most.
    """
    span(start_us, end_us)
    name, chunks = await asyncio.to_thread(_find, api, str(stream_id), start_us, end_us)
    convert = codec is not None and any(chunk.codec != codec for chunk in chunks)
    most_us = LONGEST_CONVERTED_US if convert else LONGEST_US
    if end_us - start_us > most_us:
        raise ProblemError(422, f"a clip like this is {most_us // (60 * SECOND_US)} min long at most; ask for a shorter time")
    path = await api.conversions.clip(chunks, start_us, end_us, convert=convert)
    return FileResponse(
        path,
        media_type="video/mp4",
        filename=file_name(name, start_us),
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _find(api: State, stream_id: str, start_us: int, end_us: int) -> tuple[str, list[Chunk]]:
    """The camera's name and the finished chunks of a time; an hour of them at most, as a clip is shorter."""
    name = api.store.streams.get(stream_id, removed=True).name
    stored = api.store.chunks.between(stream_id, start_us, min(end_us, start_us + 3600 * SECOND_US))
    chunks = [each.chunk for each in stored if each.chunk.closed]
    if not chunks:
        raise ProblemError(404, "nothing was recorded in that time; see the gaps for why")
    looks = {(chunk.codec, chunk.width, chunk.height) for chunk in chunks}
    if len(looks) > 1:
        raise ProblemError(422, "the camera changed its picture in that time; ask for a time before or after it")
    return name, chunks

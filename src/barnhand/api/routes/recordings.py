"""What is on disk: chunks, gaps, playlists, bytes, snapshots."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from barnhand.api import schemas
from barnhand.api.problems import ProblemError, responses
from barnhand.api.security import SIGNED_IN
from barnhand.api.services import Api, State
from barnhand.core.chunk import Chunk, ChunkState
from barnhand.store.records import StoredChunk

router = APIRouter(tags=["recordings"], dependencies=[SIGNED_IN])

StartUs = Annotated[int, Query(ge=0, description="microseconds since 1970 UTC")]
EndUs = Annotated[int, Query(ge=0, description="microseconds since 1970 UTC; not included")]
Playable = Annotated[
    Literal["h264"] | None,
    Query(description="what every browser plays; H.265 is converted to it"),
]
Part = Annotated[Literal["init", "media"] | None, Query(description="the init segment alone, or all but it")]
LONGEST_PLAYLIST_US = 24 * 3600 * 1_000_000


def media_url(chunk_id: str) -> str:
    """Where a chunk's bytes are."""
    return f"/v1/chunks/{quote(chunk_id, safe='')}/media.mp4"


def _describe(stored: StoredChunk) -> schemas.Chunk:
    fields = {name: getattr(stored.chunk, name) for name in stored.chunk.__dataclass_fields__ if name != "path"}
    return schemas.Chunk(
        **fields,
        state=stored.state,
        cause=stored.cause,
        tries=stored.tries,
        protected=stored.protected,
        media=media_url(stored.chunk.id),
    )


def span(start_us: int, end_us: int) -> None:
    """Raise ``ProblemError`` for a time that ends before it begins."""
    if end_us <= start_us:
        raise ProblemError(422, "end_us is not after start_us; give the later time as end_us")


@router.get("/streams/{stream_id}/chunks", responses=responses(401, 404, 422))
def list_chunks(
    api: Api,
    response: Response,
    stream_id: UUID,
    start_us: StartUs = 0,
    end_us: EndUs = 2**62,
    state: ChunkState | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[schemas.Chunk]:
    """Chunks that overlap a time, oldest first; where there are more, ``X-Next-Cursor`` is the ``start_us`` to go on from."""
    span(start_us, end_us)
    api.store.streams.get(str(stream_id), removed=True)
    found = api.store.chunks.between(str(stream_id), start_us, end_us, state=state, limit=limit + 1)
    if len(found) > limit:
        response.headers["X-Next-Cursor"] = str(found[limit].chunk.start_us)
    return [_describe(stored) for stored in found[:limit]]


@router.get("/streams/{stream_id}/gaps", responses=responses(401, 404, 422))
def list_gaps(api: Api, stream_id: UUID, start_us: StartUs = 0, end_us: EndUs = 2**62) -> list[schemas.Gap]:
    """Stretches that were not recorded, oldest first, a thousand at most."""
    span(start_us, end_us)
    api.store.streams.get(str(stream_id), removed=True)
    return [schemas.Gap.model_validate(gap) for gap in api.store.gaps.between(str(stream_id), start_us, end_us)]


@router.get(
    "/streams/{stream_id}/playlist.m3u8",
    response_class=Response,
    responses={200: {"content": {"application/vnd.apple.mpegurl": {}}}, **responses(401, 404, 422)},
)
def playlist(api: Api, stream_id: UUID, start_us: StartUs, end_us: EndUs, codec: Playable = None) -> Response:
    """HLS (RFC 8216) of what was recorded in a time of up to a day, across gaps; with ``codec=h264`` all of it in H.264."""
    from barnhand.fragments.playlist import Apart, vod_playlist

    span(start_us, end_us)
    if end_us - start_us > LONGEST_PLAYLIST_US:
        raise ProblemError(422, "a playlist spans at most 24 h; ask for a shorter time")
    api.store.streams.get(str(stream_id), removed=True)
    stored = api.store.chunks.between(str(stream_id), start_us, end_us, limit=20_000)
    chunks = [each.chunk for each in stored if each.chunk.closed]
    if not chunks:
        raise ProblemError(404, "nothing was recorded in that time; see the gaps for why")

    def address(chunk: Chunk) -> str | Apart:
        url = media_url(chunk.id)
        if codec is None or chunk.codec == codec:
            return url
        return Apart(f"{url}?codec={codec}&part=init", f"{url}?codec={codec}&part=media")

    text = vod_playlist(chunks, address)
    return Response(text, media_type="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})


@router.get("/chunks/{chunk_id}", responses=responses(401, 404))
def read_chunk(api: Api, chunk_id: str) -> schemas.Chunk:
    """One chunk."""
    return _describe(api.store.chunks.get(chunk_id))


# Players that are not browsers, FFmpeg among them, want to see the suffix.
@router.get("/chunks/{chunk_id}/media.mp4", response_class=FileResponse, include_in_schema=False)
@router.get(
    "/chunks/{chunk_id}/media",
    response_class=FileResponse,
    responses={
        200: {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "the range that was asked for", "content": {"video/mp4": {}}},
        416: {"description": "the range is outside the file"},
        **responses(401, 404, 409, 422, 503, 507),
    },
)
async def chunk_media(api: Api, chunk_id: str, codec: Playable = None, part: Part = None) -> Response:
    """A chunk's bytes (fMP4), whole or by ``Range``; with ``codec=h264`` an H.265 chunk is converted, which takes seconds.

    ``part`` gives its init segment or the rest alone.
    """
    stored = await asyncio.to_thread(api.store.chunks.get, chunk_id)
    chunk = stored.chunk
    caching = "private, max-age=3600, immutable" if chunk.closed else "no-store"
    path = await asyncio.to_thread(_file, api, chunk)
    if codec is not None and chunk.codec != codec:
        if not chunk.closed:
            raise ProblemError(409, "this chunk is still being written; converting it is possible in a few seconds")
        path = await api.conversions.chunk(chunk)
    headers = {"Cache-Control": caching}
    if part is None:
        return FileResponse(path, media_type="video/mp4", headers=headers)
    return Response(await asyncio.to_thread(_part, path, part), media_type="video/mp4", headers=headers)


def _file(api: State, chunk: Chunk) -> Path:
    root = api.services.recordings.resolve()
    path = (root / chunk.path).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise ProblemError(404, "the file of this recording is gone; run barnhand check")
    return path


def _part(path: Path, part: str) -> bytes:
    from barnhand.fragments.reader import init_length

    data = path.read_bytes()
    cut = init_length(data)
    return data[:cut] if part == "init" else data[cut:]


@router.get(
    "/streams/{stream_id}/snapshot.jpg",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
        **responses(401, 404, 422, 503),
    },
)
async def snapshot(api: Api, stream_id: UUID) -> Response:
    """The newest key frame as JPEG, at most a second older than it could be. 404 while there is no picture."""
    picture = await api.snapshots.newest(str(stream_id))
    headers = {"Cache-Control": "no-store", "X-Taken-Us": str(picture.wall_us)}
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

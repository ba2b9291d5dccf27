"""Recordings that are kept whatever their age."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from barnhand.api import schemas
from barnhand.api.problems import ProblemError, responses
from barnhand.api.routes.recordings import EndUs, StartUs, span
from barnhand.api.security import GROOM
from barnhand.api.services import Api, State
from barnhand.core.chunk import Chunk
from barnhand.core.time import SECOND_US
from barnhand.fragments.naming import keep_path

router = APIRouter(tags=["recordings"], dependencies=[GROOM])

LONGEST_US = 24 * 3600 * SECOND_US


@router.put("/streams/{stream_id}/protection", responses=responses(401, 403, 404, 422, 507))
def protect(api: Api, stream_id: UUID, start_us: StartUs, end_us: EndUs) -> schemas.Protection:
    """Keep what was recorded in a time of up to a day until this is taken back: age and space do not remove it."""
    chunks = _chunks(api, stream_id, start_us, end_us)
    kept = _mark(api, chunks)
    if not kept:
        raise ProblemError(404, "what was recorded in that time has been removed by age")
    api.store.chunks.protect([chunk.id for chunk in kept], True)
    return _describe(kept, True)


@router.delete("/streams/{stream_id}/protection", responses=responses(401, 403, 404, 422))
def unprotect(api: Api, stream_id: UUID, start_us: StartUs, end_us: EndUs) -> schemas.Protection:
    """Let age and space have it again; recordings older than is kept are removed within the hour."""
    chunks = _chunks(api, stream_id, start_us, end_us)
    for chunk in chunks:
        keep_path(api.services.recordings / chunk.path).unlink(missing_ok=True)
    api.store.chunks.protect([chunk.id for chunk in chunks], False)
    return _describe(chunks, False)


def _chunks(api: State, stream_id: UUID, start_us: int, end_us: int) -> list[Chunk]:
    span(start_us, end_us)
    if end_us - start_us > LONGEST_US:
        raise ProblemError(422, "24 h at most are kept at once; ask for a shorter time")
    api.store.streams.get(str(stream_id), removed=True)
    chunks = [stored.chunk for stored in api.store.chunks.between(str(stream_id), start_us, end_us, limit=20_000)]
    if not chunks:
        raise ProblemError(404, "nothing was recorded in that time; see the gaps for why")
    return chunks


def _mark(api: State, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Those that are kept now: retention looks for the mark alone, so what is still there afterwards stays."""
    kept = []
    for chunk in chunks:
        path = api.services.recordings / chunk.path
        mark = keep_path(path)
        try:
            mark.touch(mode=0o640)
        except FileNotFoundError:
            continue  # its whole day is gone
        except OSError as error:
            raise ProblemError(507, f"the recording cannot be kept ({error.strerror}); free some space") from error
        if path.exists():
            kept.append(chunk)
        else:
            mark.unlink(missing_ok=True)
    return kept


def _describe(chunks: Sequence[Chunk], protected: bool) -> schemas.Protection:
    return schemas.Protection(
        protected=protected,
        chunks=len(chunks),
        start_us=min(chunk.start_us for chunk in chunks),
        end_us=max(chunk.end_us for chunk in chunks),
    )

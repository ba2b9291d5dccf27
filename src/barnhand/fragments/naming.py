"""Where chunk files are. Writer, reader and cleaner share this and nothing else."""

import re
import uuid
from pathlib import Path, PurePosixPath

from barnhand.core.time import iso

_CHUNK = re.compile(r"^(?P<start>\d{1,19})\.mp4$")
_STREAM = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
KEEP = ".keep"  # a file of this suffix beside a chunk protects it
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:barnhand:chunk")


def chunk_path(stream_id: str, start_us: int) -> str:
    """``<stream id>/<YYYY-MM-DD>/<start_us>.mp4``, relative to the recordings. Raises ``ValueError`` on a foreign id."""
    if not _STREAM.match(stream_id):
        raise ValueError(f"{stream_id!r} cannot name a folder; a stream's id is letters, digits, '.', '_' and '-'")
    return f"{stream_id}/{iso(start_us)[:10]}/{start_us}.mp4"


def chunk_id(stream_id: str, start_us: int) -> str:
    """The id of the chunk's row: a UUID made from what names the file, so that a row can be made anew from the file."""
    return str(uuid.uuid5(_NAMESPACE, f"{stream_id}/{start_us}"))


def keep_path(path: Path) -> Path:
    """The file that protects a chunk file while it is there."""
    return path.with_suffix(KEEP)


def parse_chunk_path(path: str) -> tuple[str, int] | None:
    """``(stream_id, start_us)`` of a path ``chunk_path`` made, ``None`` for any other file."""
    parts = PurePosixPath(path).parts
    match = _CHUNK.match(parts[-1]) if len(parts) == 3 else None
    if match is None or not _STREAM.match(parts[0]):
        return None
    start_us = int(match["start"])
    return (parts[0], start_us) if chunk_path(parts[0], start_us) == path else None

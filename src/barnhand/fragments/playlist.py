"""HLS playlists over chunk files (RFC 8216 and its bis draft for byte-ranged ``EXT-X-MAP``)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from barnhand.core.chunk import Chunk
from barnhand.core.time import PTS_HZ, SECOND_US


@dataclass(frozen=True)
class Apart:
    """Where the init segment and the rest of a chunk are fetched when no byte ranges are known: it is still to be made."""

    init: str
    media: str


def vod_playlist(chunks: Sequence[Chunk], uri: Callable[[Chunk], str | Apart]) -> str:
    """A finished (VOD) playlist of closed chunks, oldest first; ``uri`` says where a chunk's file is fetched.

    Every chunk is one segment: its init segment is an ``EXT-X-MAP`` with a byte range, the rest the segment's own byte
    range; those ``Apart`` have an address each instead. ``EXTINF`` is exact to the microsecond,
    ``EXT-X-PROGRAM-DATE-TIME`` is the wall time of the first picture, and ``EXT-X-DISCONTINUITY`` stands before a chunk that
    does not continue the one before it in this list.

    Raises ``ValueError`` when a chunk is still open, or the chunks are not in order.
    """
    for chunk in chunks:
        if not chunk.closed:
            raise ValueError(f"chunk {chunk.id} is still being written and cannot be in a finished playlist")
    if any(after.start_us < before.start_us for before, after in pairwise(chunks)):
        raise ValueError("the chunks of a playlist go from old to new")
    longest = max((_seconds(chunk) for chunk in chunks), default=1.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    before: Chunk | None = None
    for chunk in chunks:
        if before is not None and not follows(before, chunk):
            lines.append("#EXT-X-DISCONTINUITY")
        times = [f"#EXT-X-PROGRAM-DATE-TIME:{_date(chunk.start_us)}", f"#EXTINF:{_seconds(chunk):.6f},"]
        where = uri(chunk)
        if isinstance(where, Apart):
            lines += [f'#EXT-X-MAP:URI="{where.init}"', *times, where.media]
        else:
            lines += [
                f'#EXT-X-MAP:URI="{where}",BYTERANGE="{chunk.init_bytes}@0"',
                *times,
                f"#EXT-X-BYTERANGE:{chunk.bytes - chunk.init_bytes}@{chunk.init_bytes}",
                where,
            ]
        before = chunk
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def follows(before: Chunk, after: Chunk) -> bool:
    """Whether ``after`` continues ``before`` without a seam: the same run, no gap, nothing between them left out."""
    return (
        not after.discontinuity
        and after.run == before.run
        and after.stream_id == before.stream_id
        and abs(after.start_pts - before.end_pts) <= PTS_HZ
    )


def _seconds(chunk: Chunk) -> float:
    return max(chunk.end_pts - chunk.start_pts, 1) / PTS_HZ


def _date(wall_us: int) -> str:
    """Milliseconds, as players read no finer; the exact time is in the fragments' ``prft`` and ``tfdt``."""
    moment = datetime.fromtimestamp(wall_us // SECOND_US, UTC).replace(microsecond=wall_us % SECOND_US)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

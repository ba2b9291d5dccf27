"""The store's side of ``barnhand check``: what the rows say is on disk, and words for what they say wrongly."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from barnhand.store.database import Database
from barnhand.store.records import StoredChunk
from barnhand.store.store import Store

_OVERLAPS = text("""
    select * from (
        select stream_id::text, id, start_us, max(end_us) over (
            partition by stream_id order by start_us, id rows between unbounded preceding and 1 preceding
        ) as before_us
        from chunks where closed
    ) spans where start_us < before_us - :slack_us order by stream_id, start_us
""")
_OPEN_GAPS = text("""
    select g.stream_id::text, g.start_us, (
        select min(c.start_us) from chunks c where c.stream_id = g.stream_id and c.start_us >= g.start_us
    ) as recorded_us
    from gaps g where g.end_us is null
""")

SLACK_US = 1_000_000
"""Chunks may share up to a second: a camera's clock that is set back a little is not damage."""


@dataclass(frozen=True)
class Finding:
    """Something rows say that cannot be: the invariant's number in docs/design/schema.md and a sentence."""

    invariant: int
    stream_id: str
    sentence: str


def chunk_rows(store: Store, stream_id: str | None = None) -> Iterator[StoredChunk]:
    """Every chunk the database knows, of one stream or of all, by stream and time; to be held against the files."""
    return store.chunks.each(stream_id)


def findings(database: Database) -> Iterator[Finding]:
    """What is wrong within the rows alone."""
    with database.begin() as connection:
        for row in connection.execute(_OVERLAPS, {"slack_us": SLACK_US}):
            shared = (row.before_us - row.start_us) / 1e6
            yield Finding(3, row.stream_id, f"chunk {row.id} begins {shared:.1f} s before the end of one before it")
        for row in connection.execute(_OPEN_GAPS):
            if row.recorded_us is not None:
                yield Finding(
                    4, row.stream_id, f"the gap from {row.start_us} µs has no end although {row.recorded_us} µs is recorded"
                )

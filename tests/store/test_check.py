"""What rows say wrongly about themselves is found."""

from dataclasses import asdict

from tests.store_rows import NOON_US, chunk_of, drain

from barnhand.store.check import chunk_rows, findings
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

SECOND = 1_000_000


def test_every_row_of_every_stream_comes_once(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    chunks = [chunk_of(stream, NOON_US + n * 10 * SECOND) for n in range(2500)]
    spool.append("chunk", map(asdict, chunks))
    drain(writer)
    assert [row.chunk.id for row in chunk_rows(store, stream)] == [chunk.id for chunk in chunks]
    assert sum(1 for _ in chunk_rows(store)) == 2500


def test_a_sound_recording_has_no_findings(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    spool.append("chunk", [asdict(chunk_of(stream, NOON_US + n * 10 * SECOND)) for n in range(5)])
    gap = {"stream_id": stream, "start_us": NOON_US + 50 * SECOND, "end_us": None, "cause": "stalled", "message": ""}
    spool.append("gap", [gap])
    drain(writer)
    assert list(findings(store.database)) == []


def test_chunks_that_overlap_are_found(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    starts = [0, 10, 14, 24]
    spool.append("chunk", [asdict(chunk_of(stream, NOON_US + start * SECOND)) for start in starts])
    drain(writer)
    (found,) = findings(store.database)
    assert (found.invariant, found.stream_id) == (3, stream)
    assert "6.0 s before the end" in found.sentence


def test_a_gap_that_was_never_closed_is_found(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    gap = {"stream_id": stream, "start_us": NOON_US, "end_us": None, "cause": "stalled", "message": ""}
    spool.append("gap", [gap])
    spool.append("chunk", [asdict(chunk_of(stream, NOON_US + 5 * SECOND))])
    drain(writer)
    (found,) = findings(store.database)
    assert found.invariant == 4

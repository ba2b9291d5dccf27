"""The check finds each broken invariant between files and rows, and mends it so that the next check is clean."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.recorder.yard import QUICK, Hub, Spool, prove, stream, until

from barnhand.core.chunk import Chunk
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import SystemClock
from barnhand.fragments.naming import chunk_id
from barnhand.fragments.reader import read_chunk
from barnhand.recorder.check import Problem, check, mend
from barnhand.recorder.chunkfile import ChunkFile
from barnhand.recorder.recorder import Recorder
from barnhand.recorder.recover import recover
from barnhand.recorder.rows import Rows

EVER = 1 << 62
Break = Callable[[Path, Spool], None]


@pytest.fixture
def recorded(tmp_path: Path, clips: dict[str, Path]) -> tuple[Path, Spool]:
    spool = Spool()
    recorder = Recorder(tmp_path, Hub(), spool, SystemClock(), QUICK)
    recorder.reconcile([stream(clips["small"], "one"), stream(clips["plain"], "two")])
    until(lambda: all(sum(c.stream_id == s and c.closed for c in spool.chunks) >= 3 for s in ("one", "two")), "chunks")
    recorder.stop()
    return tmp_path, spool


def table(spool: Spool) -> list[Chunk]:
    return sorted(spool.chunks, key=lambda c: (c.stream_id, c.start_us))


def file(folder: Path, spool: Spool, index: int = 1) -> Path:
    return folder / table(spool)[index].path


def change(spool: Spool, **fields: object) -> None:
    Rows(spool).chunk(replace(table(spool)[1], **fields))  # type: ignore[arg-type]


def cut(folder: Path, spool: Spool) -> None:
    path = file(folder, spool)
    path.write_bytes(path.read_bytes()[:-10])


CASES: list[tuple[str, Break, set[Problem]]] = [
    ("whole", lambda *_: None, set()),
    ("file gone", lambda f, s: file(f, s).unlink(), {Problem.FILE_MISSING}),
    ("row gone", lambda _, s: Rows(s).deleted(table(s)[1].id), {Problem.ROW_MISSING}),
    ("stream's rows gone", lambda _, s: [Rows(s).deleted(c.id) for c in table(s) if c.stream_id == "one"] and None,
     {Problem.ROW_MISSING}),
    ("cut", cut, {Problem.RANGE_MISSING, Problem.TAIL}),
    ("emptied", lambda f, s: file(f, s).write_bytes(b"") and None, {Problem.NO_PICTURE}),
    ("tail", lambda f, s: file(f, s).write_bytes(file(f, s).read_bytes() + b"\0\0\0") and None, {Problem.TAIL}),
    ("row left open", lambda _, s: change(s, closed=False), {Problem.LEFT_OPEN}),
    ("fewer frames", lambda _, s: change(s, frames=3), {Problem.ROW_DIFFERS}),
    ("other run", lambda _, s: change(s, run=3), {Problem.ROW_DIFFERS}),
    ("more bytes", lambda _, s: change(s, bytes=10**9), {Problem.RANGE_MISSING}),
]  # fmt: skip


@pytest.mark.parametrize(("harm", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_found_and_mended(recorded: tuple[Path, Spool], harm: Break, expected: set[Problem]) -> None:
    folder, spool = recorded
    harm(folder, spool)
    found = list(check(folder, table(spool), until_us=EVER))
    assert {f.problem for f in found} == expected
    assert len(list(mend(found, Rows(spool)))) == len(found)
    assert list(check(folder, table(spool), until_us=EVER)) == []
    prove(folder, spool)


def test_a_foreign_file_is_told_and_left(recorded: tuple[Path, Spool]) -> None:
    folder, spool = recorded
    foreign = file(folder, spool).with_name("notes.txt")
    foreign.write_text("hay on Monday")
    (finding,) = check(folder, table(spool), until_us=EVER)
    assert finding.problem is Problem.FOREIGN
    assert list(mend([finding], Rows(spool))) == []
    assert foreign.exists()


def test_an_overlap_in_a_run_is_told(recorded: tuple[Path, Spool]) -> None:
    folder, spool = recorded
    first = table(spool)[0]
    Rows(spool).chunk(replace(first, end_pts=first.end_pts + 900_000))
    assert Problem.OVERLAP in {f.problem for f in check(folder, table(spool), until_us=EVER)}


def test_what_is_being_written_and_what_is_new_is_left_out(recorded: tuple[Path, Spool]) -> None:
    folder, spool = recorded
    cut(folder, spool)
    path = table(spool)[1].path
    assert list(check(folder, table(spool), until_us=EVER, writing=frozenset({path}))) == []
    assert list(check(folder, table(spool), until_us=0)) == []


def test_recovery_without_a_journal_closes_the_newest_chunk(recorded: tuple[Path, Spool]) -> None:
    folder, spool = recorded
    rows = [c for c in table(spool) if c.stream_id == "one"]
    (folder / "one" / "recorder.json").write_text("{ half")
    Rows(spool).chunk(replace(rows[-1], closed=False))
    journal = recover(folder, "one", Rows(spool))
    prove(folder, spool)
    assert journal.end_pts >= rows[-1].end_pts - 90_000
    assert journal.run == rows[-1].run


def test_recovery_finds_a_file_that_has_no_row_yet(recorded: tuple[Path, Spool]) -> None:
    folder, spool = recorded
    last = [c for c in table(spool) if c.stream_id == "one"][-1]
    init, *rest = read_chunk(folder / last.path, "one")
    assert isinstance(init, InitSegment)
    late = [replace(f, wall_us=f.wall_us + 10_000_000) for f in rest if isinstance(f, Fragment)]
    orphan = ChunkFile(folder, init, late[0], discontinuity=False)  # killed before the row was written
    assert orphan.path.exists()
    recover(folder, "one", Rows(spool))
    assert chunk_id("one", late[0].wall_us) in {c.id for c in spool.chunks}
    prove(folder, spool)

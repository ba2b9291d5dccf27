"""Retention: oldest unprotected first, rows before files, never what is being written."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.recorder.yard import Spool, options

from barnhand.core.time import FakeClock
from barnhand.fragments.naming import chunk_id, chunk_path
from barnhand.recorder.retention import Retention, Shelf
from barnhand.recorder.rows import Rows

DAY_US = 86_400_000_000
NOW_US = 1_800_000_000_000_000
SIZE = 8192


def fill(folder: Path, stream_id: str, ages_days: list[float]) -> list[str]:
    """Chunk files of so many days ago; their paths, oldest first."""
    paths = [chunk_path(stream_id, NOW_US - round(age * DAY_US)) for age in sorted(ages_days, reverse=True)]
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(bytes(SIZE))
    return paths


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.glob("*/*/*.mp4")}


def retention(folder: Path, spool: Spool, **settings: object) -> Retention:
    changes = {"retention_s": None, "free_bytes": 0, **settings}
    return Retention(folder, Rows(spool), FakeClock(NOW_US), options(**changes))


def test_by_age(tmp_path: Path) -> None:
    one, two = fill(tmp_path, "one", [5, 3.5, 2.5, 1]), fill(tmp_path, "two", [4, 0.1])
    spool = Spool()
    assert retention(tmp_path, spool, retention_s=3 * 86_400.0).clean(set()) == 3
    assert left(tmp_path) == {*one[2:], two[1]}
    named = [chunk_id(p.split("/")[0], int(p.rpartition("/")[2][:-4])) for p in (one[0], two[0], one[1])]
    assert spool.log == [("chunk_deleted", {"id": row_id}) for row_id in named]
    assert {p.name for p in (tmp_path / "one").iterdir()} == {p.split("/")[1] for p in one[2:]}  # no empty folders


def test_by_space_oldest_first_over_all_streams(tmp_path: Path) -> None:
    one, two = fill(tmp_path, "one", [5, 3, 1]), fill(tmp_path, "two", [4, 2, 0.5])
    retention(tmp_path, Spool(), retention_bytes=3 * SIZE).clean(set())
    assert left(tmp_path) == {one[2], two[1], two[2]}


def test_protected_and_open_chunks_are_passed_over(tmp_path: Path) -> None:
    paths = fill(tmp_path, "one", [5, 4, 3, 2])
    (tmp_path / paths[0]).with_suffix(".keep").touch()
    keeper = retention(tmp_path, Spool(), retention_bytes=SIZE)
    keeper.clean({paths[3]})
    assert left(tmp_path) == {paths[0], paths[3]}


def test_what_is_given_as_protected_is(tmp_path: Path) -> None:
    paths = fill(tmp_path, "one", [5, 4])
    clock = FakeClock(NOW_US)
    keeper = Retention(tmp_path, Rows(Spool()), clock, options(retention_s=1.0), paths[0].__eq__)
    keeper.clean(set())
    assert left(tmp_path) == {paths[0]}


def test_a_protection_that_is_lifted_is_noticed_within_the_hour(tmp_path: Path) -> None:
    paths = fill(tmp_path, "one", [5, 4])
    kept = set(paths)
    clock = FakeClock(NOW_US)
    keeper = Retention(tmp_path, Rows(Spool()), clock, options(retention_s=1.0), kept.__contains__)
    keeper.clean(set())
    kept.clear()
    clock.advance(3700)
    keeper.clean(set())
    assert left(tmp_path) == set()


@pytest.mark.parametrize(("free_mb", "removed"), [(50, 0), (9, 3)])
def test_the_floor_of_free_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, removed: int) -> None:
    paths = fill(tmp_path, "one", [5, 4, 3, 2, 1])
    floor = 10_000_000
    spare = free_mb * 1_000_000 if free_mb > 10 else floor - 2 * SIZE - 100
    disk = SimpleNamespace(f_bavail=spare, f_frsize=1, f_blocks=1_000_000_000)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert retention(tmp_path, Spool(), free_bytes=floor).clean(set()) == removed
    assert left(tmp_path) == set(paths[removed:])


def test_when_nothing_may_be_removed_it_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (path,) = fill(tmp_path, "one", [5])
    keeper = retention(tmp_path, Spool(), retention_bytes=1)
    for _ in range(3):
        assert keeper.clean({path}) == 0
    assert len([r for r in caplog.records if "too full" in r.message]) == 1


def test_new_chunks_of_today_are_seen(tmp_path: Path) -> None:
    fill(tmp_path, "one", [0.2])
    keeper = retention(tmp_path, Spool(), retention_s=60.0)
    assert keeper.clean(set()) == 1
    fill(tmp_path, "one", [0.1])
    assert keeper.clean(set()) == 1
    assert left(tmp_path) == set()


def test_the_shelf_lists_a_day_at_a_time(tmp_path: Path) -> None:
    paths = fill(tmp_path, "one", [9, 8, 7])
    shelf = Shelf(tmp_path)
    oldest = shelf.oldest()
    assert next(oldest).path == paths[0]
    (tmp_path / paths[2]).unlink()
    assert [kept.path for kept in oldest] == [paths[1]]


def test_foreign_files_are_never_removed(tmp_path: Path) -> None:
    (path,) = fill(tmp_path, "one", [9])
    foreign = (tmp_path / path).with_name("notes.txt")
    foreign.write_text("hay")
    retention(tmp_path, Spool(), retention_s=1.0).clean(set())
    assert foreign.exists()
    assert left(tmp_path) == set()

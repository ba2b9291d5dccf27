"""Rows come out of the spool as they went in, whatever happens to their producer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from barnhand.core.errors import SpaceError
from barnhand.core.time import FakeClock
from barnhand.store.spool import Position, Spool, SpoolOptions, SpoolReader


def numbers(reader: SpoolReader, limit: int = 100) -> list[int]:
    found = []
    while (batch := reader.read(limit)) is not None:
        found += [row.data["n"] for row in batch.rows]
        reader.acknowledge(batch)
    return found


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def test_rows_come_in_order_over_batches_and_segments(folder: Path, clock: FakeClock) -> None:
    spool = Spool(folder, SpoolOptions(segment_bytes=200), clock)
    for n in range(100):
        spool.append("gap", [{"n": n}])
    assert len(segments(folder)) > 5
    assert numbers(SpoolReader(folder), limit=7) == list(range(100))


def test_a_segment_that_is_old_is_closed(folder: Path, clock: FakeClock) -> None:
    spool = Spool(folder, SpoolOptions(segment_s=60), clock)
    spool.append("gap", [{"n": 0}])
    clock.advance(61)
    spool.append("gap", [{"n": 1}])
    assert len(segments(folder)) == 2


def test_what_is_acknowledged_is_not_read_again(folder: Path, spool: Spool) -> None:
    spool.append("gap", [{"n": n} for n in range(10)])
    reader = SpoolReader(folder)
    first = reader.read(4)
    assert first is not None
    reader.acknowledge(first)
    reader.read(4)  # read, but never acknowledged
    assert numbers(SpoolReader(folder)) == [4, 5, 6, 7, 8, 9]


def test_finished_segments_go_and_the_one_in_use_stays(folder: Path, clock: FakeClock) -> None:
    spool = Spool(folder, SpoolOptions(segment_bytes=100), clock)
    for n in range(20):
        spool.append("gap", [{"n": n}])
    reader = SpoolReader(folder)
    numbers(reader)
    assert len(segments(folder)) == 1
    spool.append("gap", [{"n": 20}])
    assert numbers(reader) == [20]
    spool.close()
    reader.sweep()
    assert list(folder.iterdir()) == []


def test_producers_keep_files_of_their_own_and_take_turns(folder: Path, clock: FakeClock) -> None:
    one, two = Spool(folder, clock=clock), Spool(folder, clock=clock)
    one.append("gap", [{"n": n} for n in range(6)])
    two.append("gap", [{"n": 100 + n} for n in range(6)])
    reader = SpoolReader(folder)
    batches = [reader.read(3) for _ in range(4)]
    names = [batch.producer for batch in batches if batch is not None]
    assert names[0] != names[1]
    assert names[:2] == names[2:]


def test_a_forked_child_gets_files_of_its_own(folder: Path, clock: FakeClock) -> None:
    spool = Spool(folder, clock=clock)
    spool.append("gap", [{"n": 0}])
    child = os.fork()
    if child == 0:
        spool.append("gap", [{"n": 1}])
        os._exit(0)
    os.waitpid(child, 0)
    spool.append("gap", [{"n": 2}])
    assert len(SpoolReader(folder).producers()) == 2
    assert sorted(numbers(SpoolReader(folder))) == [0, 1, 2]


def test_a_line_that_is_not_yet_whole_is_waited_for(folder: Path, spool: Spool) -> None:
    spool.append("gap", [{"n": 0}])
    (path,) = segments(folder)
    whole = json.dumps({"k": "gap", "r": {"n": 1}}) + "\n"
    with path.open("a") as file:
        file.write(whole[:9])
    reader = SpoolReader(folder)
    assert numbers(reader) == [0]
    with path.open("a") as file:
        file.write(whole[9:])
    assert numbers(reader) == [1]


def test_a_line_cut_by_a_crash_comes_as_no_row(folder: Path, spool: Spool) -> None:
    spool.append("gap", [{"n": 0}])
    (path,) = segments(folder)
    with path.open("a") as file:
        file.write('{"k": "gap", "r": {"n"')
    spool.close()
    batch = SpoolReader(folder).read(10)
    assert batch is not None
    assert [row.kind for row in batch.rows] == ["gap", None]


def test_what_cannot_be_measured_is_null(folder: Path, spool: Spool) -> None:
    spool.append("gap", [{"n": [1.0, float("nan"), {"x": float("inf")}]}])
    batch = SpoolReader(folder).read(1)
    assert batch is not None
    assert batch.rows[0].data == {"n": [1.0, None, {"x": None}]}


@pytest.mark.parametrize(("kind", "row", "error"), [("horses", {}, ValueError), ("gap", {"n": object()}, TypeError)])
def test_what_cannot_be_a_row_is_refused_at_once(
    spool: Spool, folder: Path, kind: str, row: dict[str, object], error: type
) -> None:
    with pytest.raises(error):
        spool.append(kind, [{"n": 0}, row])
    assert SpoolReader(folder).read(1) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_no_half_rows(folder: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append("gap", [{"n": 0}])
    # The kernel's own full disk: the append's file is swapped for it, the rest is real.
    full = os.open("/dev/full", os.O_WRONLY)
    good, spool._file = spool._file, full
    with pytest.raises((SpaceError, OSError)):
        spool.append("gap", [{"n": 1}])
    spool._file = good
    os.close(full)
    spool.append("gap", [{"n": 2}])
    assert numbers(SpoolReader(folder)) == [0, 2]


def test_a_reader_can_be_sent_back(folder: Path, spool: Spool) -> None:
    spool.append("gap", [{"n": n} for n in range(3)])
    reader = SpoolReader(folder)
    batch = reader.read(10)
    assert batch is not None
    assert reader.waiting_bytes() == 0
    reader.seek(batch.producer, Position(0, 0))
    assert reader.waiting_bytes() > 0
    assert numbers(reader) == [0, 1, 2]


def test_a_recorder_loads_no_database_driver() -> None:
    """The spool is for processes that must stay small."""
    code = (
        "import sys, barnhand.store.spool;"
        "print([name for name in ('sqlalchemy', 'psycopg', 'cryptography', 'numpy', 'cv2') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

"""The writer copies every row once, in order, and lets nothing hold it up."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from tests.store_rows import NOON_US, chunk_of, count, drain, horse_seen, new_id, observation_of

from barnhand.core.chunk import ChunkState
from barnhand.core.time import FakeClock, SystemClock
from barnhand.store.database import connect
from barnhand.store.spool import Spool, SpoolReader
from barnhand.store.store import Store
from barnhand.store.writer import Verdict, Writer, WriterOptions

SECOND = 1_000_000


def rejected(folder: Path) -> list[str]:
    return [json.loads(line)["reason"] for path in (folder / "rejected").glob("*") for line in path.read_text().splitlines()]


# Each kind of row


def test_an_observation_comes_back_as_it_was(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    horse = new_id()
    seen = horse_seen(3, horse, "Bella", {"velocity": 1.25, "stride_hz": None})
    spool.append("observation", [observation_of(stream, NOON_US, seen).to_dict()])
    drain(writer)
    (row,) = store.detections.page(stream)
    assert (row.time_us, row.track_id, row.horse_id, row.horse_name) == (NOON_US, 3, horse, "Bella")
    assert row.bbox == {"x": 10, "y": 20, "width": 100, "height": 200}
    assert row.confidence == 0.875
    assert row.metrics == {"velocity": 1.25, "stride_hz": None}
    assert row.skeleton == "horse-20"
    assert row.keypoints is not None
    assert row.keypoints[:6] == (0.0, 1.0, 0.5, 2.0, 3.0, 0.5)


def test_an_observation_fills_tracks_and_sightings(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer
) -> None:
    horse = new_id()
    for second in (3, 1, 2):
        spool.append("observation", [observation_of(stream, NOON_US + second * SECOND, horse_seen(9, horse)).to_dict()])
    drain(writer)
    (seen,) = store.horses.sightings([horse])[horse]
    assert (seen.last_seen - seen.first_detected).total_seconds() == 2
    with engine.begin() as connection:
        row = connection.execute(text("select track_id, horse_id::text, started_us, ended_us from tracks")).one()
    assert tuple(row) == (9, horse, NOON_US + SECOND, None)


def test_a_picture_that_is_told_twice_is_one(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    row = observation_of(stream, NOON_US, horse_seen(1), horse_seen(2)).to_dict()
    spool.append("observation", [row, row])
    spool.append("observation", [row])
    drain(writer)
    assert len(store.detections.page(stream)) == 2


def test_pictures_without_a_horse_count_as_watched(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    spool.append("observation", [observation_of(stream, NOON_US + n * 200_000).to_dict() for n in range(11)])
    drain(writer)
    assert store.detections.page(stream) == []
    assert store.activity.minutes(stream, NOON_US, NOON_US + SECOND) == [(NOON_US, 2.0)]


def test_a_pause_is_not_watched(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    times = [0, 1 * SECOND, 31 * SECOND, 32 * SECOND]
    spool.append("observation", [observation_of(stream, NOON_US + time).to_dict() for time in times])
    drain(writer)
    # A second for the picture at 1 s, one at most for that after the pause, a second for the last.
    assert store.activity.minutes(stream, NOON_US, NOON_US + SECOND) == [(NOON_US, 3.0)]


def test_a_chunk_is_told_when_it_opens_and_when_it_closes(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    spool.append("chunk", [asdict(chunk_of(stream, NOON_US, closed=False, bytes=900))])
    drain(writer)
    spool.append("chunk", [asdict(chunk_of(stream, NOON_US))])
    drain(writer)
    (stored,) = store.chunks.between(stream, NOON_US, NOON_US + 1)
    assert stored.chunk == chunk_of(stream, NOON_US)
    assert stored.state is ChunkState.PENDING


def test_a_chunk_that_is_deleted_is_gone(engine: Engine, stream: str, spool: Spool, writer: Writer) -> None:
    one, two = chunk_of(stream, NOON_US), chunk_of(stream, NOON_US + 10 * SECOND)
    spool.append("chunk", [asdict(one), asdict(two)])
    drain(writer)
    spool.append("chunk_deleted", [{"id": one.id}])
    spool.append("chunk", [asdict(two)])
    spool.append("chunk_deleted", [{"id": two.id}])
    drain(writer)
    assert count(engine, "chunks") == 0


@pytest.mark.parametrize("order", ["chunk first", "verdict first"])
def test_verdicts_and_chunks_come_in_any_order(
    store: Store, stream: str, folder: Path, clock: FakeClock, writer: Writer, order: str
) -> None:
    recorder, analyst = Spool(folder, clock=clock), Spool(folder, clock=clock)
    chunk = chunk_of(stream, NOON_US)

    def record() -> None:
        recorder.append("chunk", [asdict(chunk)])
        drain(writer)

    def judge() -> None:
        for cause in ("decoder died", "out of memory"):
            analyst.append("chunk_analysed", [{"id": chunk.id, "state": "failed", "cause": cause}])
            drain(writer)

    for step in (record, judge) if order == "chunk first" else (judge, record):
        step()
    stored = store.chunks.get(chunk.id)
    assert (stored.state, stored.cause, stored.tries) == (ChunkState.FAILED, "out of memory", 2)
    assert [each.chunk.id for each in store.chunks.pending()] == [chunk.id]
    analyst.append("chunk_analysed", [{"id": chunk.id, "state": "failed", "cause": "again"}])
    drain(writer)
    assert store.chunks.pending() == []
    analyst.append("chunk_analysed", [{"id": chunk.id, "state": "processed", "cause": None}])
    drain(writer)
    assert store.chunks.get(chunk.id).state is ChunkState.ANALYSED


def test_a_verdict_is_told_when_its_rows_are_there(
    store: Store, engine: Engine, stream: str, spool: Spool, folder: Path, clock: FakeClock
) -> None:
    told: list[tuple[str, str, ChunkState, int]] = []

    def tell(verdicts: Sequence[Verdict]) -> None:
        for each in verdicts:
            told.append((each.id, each.stream_id, store.chunks.get(each.id).state, len(store.detections.page(stream))))

    writer = Writer(folder, engine, clock, tell=tell)
    chunk = chunk_of(stream, NOON_US)
    spool.append("chunk", [asdict(chunk)])
    spool.append("observation", [observation_of(stream, NOON_US, horse_seen(1)).to_dict()])
    drain(writer)
    assert told == []
    spool.append("chunk_analysed", [{"id": chunk.id, "state": "analysed", "cause": None}])
    spool.append("chunk_analysed", [{"id": new_id(), "state": "analysed", "cause": None}])
    drain(writer)
    assert told == [(chunk.id, stream, ChunkState.ANALYSED, 1)], "once, and not for a chunk without a row"


def test_a_gap_ends(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    gap = {"stream_id": stream, "start_us": NOON_US, "end_us": None, "cause": "stalled", "message": "no picture"}
    spool.append("gap", [gap])
    drain(writer)
    assert [each.end_us for each in store.gaps.between(stream, NOON_US + 5, NOON_US + 6)] == [None]
    spool.append("gap", [{**gap, "end_us": NOON_US + 3}])
    drain(writer)
    assert [each.end_us for each in store.gaps.between(stream, NOON_US, NOON_US + 6)] == [NOON_US + 3]
    assert store.gaps.between(stream, NOON_US + 5, NOON_US + 6) == []


def test_a_stranger_keeps_the_name_a_person_gave(store: Store, spool: Spool, writer: Writer) -> None:
    horse = new_id()
    spool.append("horse", [{"id": horse, "name": "Unknown 3", "stranger": True}])
    drain(writer)
    assert (store.horses.get(horse).name, store.horses.get(horse).stranger) == ("Unknown 3", True)
    store.horses.update(horse, {"name": "Bella"})
    spool.append("horse", [{"id": horse, "name": "Unknown 3", "stranger": True}])
    drain(writer)
    assert (store.horses.get(horse).name, store.horses.get(horse).stranger) == ("Bella", False)


def test_a_horse_may_be_seen_before_it_is_told_of(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    horse = new_id()
    spool.append("observation", [observation_of(stream, NOON_US, horse_seen(1, horse, "Unknown 4")).to_dict()])
    drain(writer)
    assert store.horses.get(horse).name == "Unknown 4"
    spool.append("horse", [{"id": horse, "name": "Star", "stranger": False}])
    drain(writer)
    assert store.horses.get(horse).name == "Star"


def test_looks_come_back_as_they_were(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    horse = new_id()
    spool.append("horse", [{"id": horse, "name": "Unknown 1", "stranger": True}])
    row = {"horse_id": horse, "embedding": [0.6, 0.8], "kind": "rug", "taken_us": NOON_US}
    whole = {**row, "kind": "left", "network": "eyes@1f", "stream_id": stream, "track_id": 7, "vouched": False}
    spool.append("look", [row, row, whole])
    spool.append("look", [{**whole, "vouched": True}])
    drain(writer)
    before_0002 = {"network": None, "stream_id": None, "track_id": None, "vouched": False}
    assert sorted((asdict(look) for look in store.horses.looks()), key=lambda look: str(look["kind"])) == [
        {**whole, "embedding": (0.6, 0.8), "name": "Unknown 1", "vouched": True},
        {**row, **before_0002, "embedding": (0.6, 0.8), "name": "Unknown 1"},
    ]


def test_a_look_that_was_taken_away_is_gone_and_may_be_taught_again(store: Store, spool: Spool, writer: Writer) -> None:
    horse, other = new_id(), new_id()
    looks = [{"horse_id": horse, "embedding": [1.0], "kind": "left", "taken_us": NOON_US + k} for k in range(3)]
    gone = [{key: look[key] for key in ("horse_id", "kind", "taken_us")} for look in looks]
    spool.append("horse", [{"id": each, "name": "Unknown", "stranger": True} for each in (horse, other)])
    spool.append("look", looks)
    spool.append("look_deleted", gone[:1])
    drain(writer)
    assert [look.taken_us for look in store.horses.looks()] == [NOON_US + 1, NOON_US + 2]
    spool.append("look_deleted", [*gone[1:2], *gone[:1]])  # the second for the first time, the first again
    spool.append("look", looks[:1])
    drain(writer)
    assert [look.taken_us for look in store.horses.looks()] == [NOON_US, NOON_US + 2]
    store.horses.merge(horse, other)
    spool.append("look_deleted", gone)
    drain(writer)
    assert store.horses.looks() == []


def test_what_is_seen_of_a_merged_horse_is_the_others(store: Store, stream: str, spool: Spool, writer: Writer) -> None:
    stranger, bella = new_id(), store.horses.create(name="Bella").id
    spool.append("observation", [observation_of(stream, NOON_US, horse_seen(1, stranger, "Unknown 1")).to_dict()])
    drain(writer)
    store.horses.merge(stranger, bella)
    # The analyst has not heard of it yet.
    spool.append("observation", [observation_of(stream, NOON_US + SECOND, horse_seen(1, stranger, "Unknown 1")).to_dict()])
    drain(writer)
    assert {row.horse_name for row in store.detections.page(stream)} == {"Bella"}
    assert [horse.name for horse in store.horses.all()] == ["Bella"]


# Rows that are no good

BAD: list[tuple[str, str, Callable[[dict[str, object]], object]]] = [
    ("no id", "'stream_id' is missing", lambda row: row.pop("stream_id")),
    ("not a UUID", "an id is a UUID", lambda row: row.update(stream_id="camera 1")),
    ("a stream nobody knows", "the database has no stream", lambda row: row.update(stream_id=new_id())),
    ("a time in 1970", "out of bounds", lambda row: row.update(wall_us=5)),
    ("a clock years ahead", "out of bounds", lambda row: row.update(wall_us=NOON_US * 2)),
    ("a text for a number", "a whole number was expected", lambda row: row.update(width="wide")),
    ("a number the table cannot hold", "out of range", lambda row: row.update(width=2**40)),
    ("horses that are none", "TypeError", lambda row: row.update(horses=7)),
]


@pytest.mark.parametrize(("what", "reason", "spoil"), BAD, ids=[case[0] for case in BAD])
def test_a_bad_row_is_put_aside_and_the_others_go_in(
    store: Store,
    stream: str,
    spool: Spool,
    folder: Path,
    writer: Writer,
    what: str,
    reason: str,
    spoil: Callable[[dict[str, object]], object],
) -> None:
    rows = [observation_of(stream, NOON_US + n, horse_seen(1)).to_dict() for n in range(9)]
    spoil(rows[4])
    spool.append("observation", rows)
    drain(writer)
    assert len(store.detections.page(stream)) == 8
    (told,) = rejected(folder)
    assert reason in told


def test_a_damaged_line_is_put_aside(store: Store, stream: str, spool: Spool, folder: Path, writer: Writer) -> None:
    spool.append("observation", [observation_of(stream, NOON_US, horse_seen(1)).to_dict()])
    (path,) = folder.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"k": "observation", "r"\n\xff\xfe\n')
    spool.append("observation", [observation_of(stream, NOON_US + 1, horse_seen(1)).to_dict()])
    drain(writer)
    assert len(store.detections.page(stream)) == 2
    assert len(rejected(folder)) == 2


# Databases that go away


def test_nothing_is_lost_and_nothing_comes_twice_when_the_database_goes_away(
    engine: Engine, stream: str, spool: Spool, writer: Writer
) -> None:
    spool.append("observation", [observation_of(stream, NOON_US + n * SECOND, horse_seen(1)).to_dict() for n in range(10)])
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table detections rename to elsewhere")
    with pytest.raises(Exception, match="detections"):
        writer.step()
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to detections")
    drain(writer)
    assert count(engine, "detections") == 10
    with engine.begin() as connection:
        assert connection.scalar(text("select sum(pictures) from observed_minutes")) == 10


def test_a_batch_that_was_committed_without_an_answer_is_not_copied_again(
    engine: Engine, stream: str, spool: Spool, folder: Path, clock: FakeClock
) -> None:
    spool.append("observation", [observation_of(stream, NOON_US + n * SECOND).to_dict() for n in range(5)])
    # The first writer dies between the commit and the acknowledgement.
    first = Writer(folder, engine, clock)
    first._reader.acknowledge = lambda _: None  # type: ignore[method-assign]
    first.step()
    drain(Writer(folder, engine, clock))
    with engine.begin() as connection:
        assert connection.scalar(text("select sum(pictures) from observed_minutes")) == 5


def test_two_writers_do_no_harm(engine: Engine, stream: str, spool: Spool, folder: Path, clock: FakeClock) -> None:
    options = WriterOptions(batch_rows=3)
    one, two = Writer(folder, engine, clock, options), Writer(folder, engine, clock, options)
    spool.append("observation", [observation_of(stream, NOON_US + n * SECOND).to_dict() for n in range(12)])
    while one.step() or two.step():
        two.step()
    with engine.begin() as connection:
        assert connection.scalar(text("select sum(pictures) from observed_minutes")) == 12


def test_a_new_database_gets_all_that_is_still_in_the_spool(
    store: Store, engine: Engine, stream: str, spool: Spool, folder: Path, clock: FakeClock
) -> None:
    spool.append("observation", [observation_of(stream, NOON_US, horse_seen(1)).to_dict()])
    drain(Writer(folder, engine, clock))
    with engine.begin() as connection:
        connection.exec_driver_sql("truncate detections, spool_offsets")
    drain(Writer(folder, engine, clock))
    assert len(store.detections.page(stream)) == 1


def test_a_running_writer_waits_for_the_database_and_goes_on(
    database_url: str, engine: Engine, stream: str, spool: Spool, folder: Path
) -> None:
    """Its connections are cut while it runs: as when the server is restarted."""
    theirs = connect(database_url)
    writer = Writer(folder, theirs, SystemClock(), WriterOptions(poll_s=0.01, first_wait_s=0.01, future_days=3650))
    stop = threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    for n in range(20):
        spool.append("observation", [observation_of(stream, NOON_US + n, horse_seen(1)).to_dict()])
        if n % 5 == 0:
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
                )
    stop.set()
    thread.join(30)
    theirs.dispose()
    reader = SpoolReader(folder)
    # Told to stop while the database was away it leaves the rest to the next start.
    drain(Writer(folder, engine, SystemClock(), WriterOptions(future_days=3650)))
    assert reader.producers()
    assert count(engine, "detections") == 20


def test_an_address_nobody_answers_at_is_an_operational_error(spool: Spool, folder: Path, clock: FakeClock) -> None:
    engine = connect("postgresql://127.0.0.1:1/none")
    with pytest.raises(OperationalError):
        Writer(folder, engine, clock).step()

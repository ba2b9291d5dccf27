"""What a person's word about one animal on screen does to what was seen of it, and leaves alone."""

import pytest
from sqlalchemy import Engine, text
from tests.store_rows import NOON_US, count, drain, horse_seen, new_id, observation_of

from barnhand.core.errors import NotFoundError
from barnhand.core.time import FakeClock, wall_of_datetime
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

SECOND, HOUR = 1_000_000, 3_600_000_000
TRACK, OTHER = 2**41 + 7, 2**41 + 8


@pytest.fixture
def juno(store: Store) -> str:
    return store.horses.create(name="Juno").id


@pytest.fixture
def bella(store: Store) -> str:
    return store.horses.create(name="Bella").id


def see(spool: Spool, stream: str, horse: str | None, *times: int, track: int = TRACK) -> None:
    spool.append("observation", [observation_of(stream, time, horse_seen(track, horse)).to_dict() for time in times])


def seen(store: Store, stream: str, track: int = TRACK) -> list[tuple[str | None, str]]:
    """Name and certainty of all that was seen of a track, the oldest first."""
    return [(row.horse_name, row.certainty) for row in reversed(store.detections.page(stream)) if row.track_id == track]


def sighting(store: Store, horse: str) -> list[tuple[int, int]]:
    """First and last time the only camera saw it, s after noon."""
    found = store.horses.sightings([horse]).get(horse, [])
    return [tuple((wall_of_datetime(t) - NOON_US) // SECOND for t in (s.first_detected, s.last_seen)) for s in found]  # type: ignore[misc]


def test_an_animal_is_another_horse_from_its_first_picture_on(
    store: Store, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    see(spool, stream, None, NOON_US + SECOND)
    see(spool, stream, juno, NOON_US + 2 * SECOND, NOON_US + 3 * SECOND)
    see(spool, stream, juno, NOON_US, NOON_US + 2 * SECOND, track=OTHER)
    drain(writer)
    assert store.corrections.assign(stream, TRACK, bella) == bella
    assert seen(store, stream) == [("Bella", "confirmed")] * 3
    assert seen(store, stream, OTHER) == [("Juno", "confirmed")] * 2
    assert sighting(store, bella) == [(1, 3)]
    assert sighting(store, juno) == [(0, 2)]


def test_an_animal_is_not_the_horse_it_is_called(
    store: Store, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    see(spool, stream, bella, NOON_US)
    see(spool, stream, juno, NOON_US + SECOND)
    drain(writer)
    assert store.corrections.refuse(stream, TRACK) == juno
    assert seen(store, stream) == [("Bella", "confirmed"), (None, "unknown")]
    assert sighting(store, juno) == []
    assert sighting(store, bella) == [(0, 0)]
    with pytest.raises(NotFoundError, match="not called any horse"):
        store.corrections.refuse(stream, TRACK)


def test_the_horse_that_is_refused_can_be_named(
    store: Store, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    """The picture on screen may be of a time when the animal was called otherwise than now."""
    see(spool, stream, bella, NOON_US)
    see(spool, stream, juno, NOON_US + SECOND)
    drain(writer)
    assert store.corrections.refuse(stream, TRACK, bella) == bella
    assert seen(store, stream) == [(None, "unknown"), ("Juno", "confirmed")]
    with pytest.raises(NotFoundError, match="not called that horse"):
        store.corrections.refuse(stream, TRACK, bella)


def test_a_sighting_keeps_the_end_that_lies_elsewhere(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer, juno: str
) -> None:
    """What was seen first may have been dropped by age: its time is all that is left."""
    see(spool, stream, juno, NOON_US, track=OTHER)
    see(spool, stream, juno, NOON_US + 5 * SECOND, NOON_US + 6 * SECOND)
    drain(writer)
    with engine.begin() as connection:
        connection.execute(text("delete from detections where track_id = :track"), {"track": OTHER})
    store.corrections.refuse(stream, TRACK)
    assert sighting(store, juno) == [(0, 0)]


@pytest.mark.parametrize("refused", [False, True])
def test_the_figures_are_made_anew(
    store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock, juno: str, bella: str, refused: bool
) -> None:
    see(spool, stream, juno, NOON_US, NOON_US + HOUR)
    drain(writer)
    clock.advance(4 * 3600)
    writer.upkeep()
    assert {hour.horse_id for hour in store.activity.hours(NOON_US, NOON_US + 2 * HOUR)} == {juno}
    if refused:
        store.corrections.refuse(stream, TRACK)
    else:
        store.corrections.assign(stream, TRACK, bella)
    writer.upkeep()
    hours = [(hour.horse_id, hour.detection_count) for hour in store.activity.hours(NOON_US, NOON_US + 2 * HOUR)]
    assert hours == ([] if refused else [(bella, 1), (bella, 1)])


@pytest.mark.parametrize("refused", [False, True])
def test_what_was_still_on_its_way_is_as_the_person_said(
    store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock, juno: str, bella: str, refused: bool
) -> None:
    see(spool, stream, juno, NOON_US)
    drain(writer)
    clock.advance(10)
    see(spool, stream, juno, NOON_US + 9 * SECOND)
    if refused:
        store.corrections.refuse(stream, TRACK)
    else:
        store.corrections.assign(stream, TRACK, bella)
    drain(writer)
    assert seen(store, stream) == [(None, "unknown") if refused else ("Bella", "confirmed")] * 2
    assert sighting(store, juno) == []
    # What is seen later is the analyst's business.
    see(spool, stream, juno, NOON_US + 11 * SECOND)
    drain(writer)
    assert seen(store, stream)[2:] == [("Juno", "confirmed")]


def test_a_horse_that_was_merged_is_the_one_it_became(
    store: Store, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    old = store.horses.create(name="Belle").id
    store.horses.merge(old, bella)
    see(spool, stream, juno, NOON_US)
    drain(writer)
    assert store.corrections.assign(stream, TRACK, old) == bella
    assert seen(store, stream) == [("Bella", "confirmed")]
    assert store.corrections.refuse(stream, TRACK, old) == bella
    assert seen(store, stream) == [(None, "unknown")]


def test_who_a_stranger_is_has_nobody_said(store: Store, stream: str, spool: Spool, writer: Writer, juno: str) -> None:
    stranger = new_id()
    spool.append("horse", [{"id": stranger, "name": "Unknown 1", "stranger": True, "created_us": NOON_US}])
    see(spool, stream, juno, NOON_US)
    drain(writer)
    store.corrections.assign(stream, TRACK, stranger)
    assert seen(store, stream) == [("Unknown 1", "unknown")]


def test_looks_the_animal_taught_go_with_it(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    row = {"horse_id": juno, "kind": "left", "embedding": [1.0, 0.0], "network": "old@1", "stream_id": stream}
    spool.append("look", [{**row, "taken_us": NOON_US + track, "track_id": track} for track in (TRACK, OTHER)])
    see(spool, stream, juno, NOON_US)
    drain(writer)
    store.corrections.assign(stream, TRACK, bella)
    told = {(look.name, look.track_id, look.vouched) for look in store.horses.looks()}
    assert told == {("Bella", TRACK, True), ("Juno", OTHER, False)}
    store.corrections.refuse(stream, TRACK)
    assert [(look.name, look.track_id) for look in store.horses.looks()] == [("Juno", OTHER)]


def test_an_animal_or_a_horse_nobody_knows_changes_nothing(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer, juno: str
) -> None:
    see(spool, stream, juno, NOON_US)
    drain(writer)
    with pytest.raises(NotFoundError, match="nothing is recorded of this animal"):
        store.corrections.assign(stream, OTHER, juno)
    with pytest.raises(NotFoundError, match="nothing is recorded of this animal"):
        store.corrections.refuse(new_id(), TRACK)
    with pytest.raises(NotFoundError, match="no such horse"):
        store.corrections.assign(stream, TRACK, new_id())
    assert seen(store, stream) == [("Juno", "confirmed")]
    assert count(engine, "tracks where told_us is not null") == 0


def test_a_long_night_is_changed_within_its_own_time(
    store: Store, stream: str, spool: Spool, writer: Writer, juno: str, bella: str
) -> None:
    """Days with partitions of their own, and a track that ended."""
    day = 24 * HOUR
    see(spool, stream, juno, NOON_US - 2 * day, NOON_US - day, NOON_US - day + SECOND)
    ended = {"stream_id": stream, "track_id": TRACK, "horse_id": None, "started_us": NOON_US - 2 * day}
    spool.append("track", [{**ended, "ended_us": NOON_US - day + SECOND}])
    drain(writer)
    store.corrections.assign(stream, TRACK, bella)
    assert seen(store, stream) == [("Bella", "confirmed")] * 3

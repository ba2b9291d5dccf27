"""What a person's word about a stranger does to what was seen of it before."""

import pytest
from tests.store_rows import NOON_US, drain, horse_seen, new_id, observation_of

from barnhand.core.identity import Certainty
from barnhand.core.time import FakeClock
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

SECOND = 1_000_000


@pytest.fixture
def stranger(stream: str, spool: Spool, writer: Writer, clock: FakeClock) -> str:
    """Seen a second ago, under a name an analyst gave."""
    horse = new_id()
    spool.append("horse", [{"id": horse, "name": "Unknown 1", "stranger": True, "created_us": NOON_US}])
    see(spool, writer, stream, horse, clock.wall_us() - SECOND)
    return horse


def see(spool: Spool, writer: Writer, stream: str, horse: str, time_us: int) -> None:
    told = observation_of(stream, time_us, horse_seen(1, horse, "Unknown 1")).to_dict()
    told["horses"][0]["certainty"] = "unknown"
    spool.append("observation", [told])
    drain(writer)


def certainties(store: Store, stream: str) -> list[tuple[str | None, str]]:
    """Name and certainty of all that was seen, the oldest first."""
    return [(row.horse_name, row.certainty) for row in reversed(store.detections.page(stream))]


def test_a_stranger_is_unknown_until_somebody_says_who_it_is(store: Store, stream: str, stranger: str) -> None:
    assert certainties(store, stream) == [("Unknown 1", "unknown")]
    store.horses.update(stranger, {"breed": "Haflinger"})
    assert certainties(store, stream) == [("Unknown 1", "unknown")]
    store.horses.update(stranger, {"name": "Juno"})
    assert certainties(store, stream) == [("Juno", "confirmed")]


def test_what_is_seen_later_is_as_certain_as_the_analyst_is(
    store: Store, stream: str, stranger: str, spool: Spool, writer: Writer, clock: FakeClock
) -> None:
    store.horses.update(stranger, {"name": "Juno"})
    see(spool, writer, stream, stranger, clock.wall_us() + SECOND)
    clock.advance(60)
    store.horses.update(stranger, {"name": "Juno II"})  # another name is not another word about who it was
    assert certainties(store, stream) == [("Juno II", "confirmed"), ("Juno II", "unknown")]


@pytest.mark.parametrize("named_before", [False, True])
def test_a_stranger_that_is_merged_was_the_other_for_certain(
    store: Store, stream: str, stranger: str, clock: FakeClock, named_before: bool
) -> None:
    if named_before:
        store.horses.update(stranger, {"name": "Juno"})
        clock.advance(60)
    bella = store.horses.create(name="Bella").id
    store.horses.merge(stranger, bella)
    assert certainties(store, stream) == [("Bella", Certainty.CONFIRMED)]

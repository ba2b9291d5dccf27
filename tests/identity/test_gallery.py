"""Who is who: names, strangers, returns, twins and corrections, on synthetic looks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from barnhand.core.geometry import Floats
from barnhand.core.identity import Certainty, Identity
from barnhand.core.time import SECOND_US
from barnhand.identity.decision import Calibration, leads, together
from barnhand.identity.evidence import Glimpse
from barnhand.identity.gallery import Gallery, GalleryOptions
from barnhand.identity.looks import Horse, Look, LookBook

SIZE = 64
DAY_US = 86_400 * SECOND_US


class Stable:
    """Horses with fixed looks, seen one picture every 200 ms."""

    def __init__(self, gallery: Gallery, seed: int = 0, steady: float = 0.85) -> None:
        self.rng = np.random.default_rng(seed)
        self.gallery = gallery
        self.now = 1_800_000_000 * SECOND_US
        self.steady = steady
        self._common = self._random()
        self._own: dict[str, Floats] = {}

    def _random(self) -> Floats:
        v = self.rng.normal(size=SIZE)
        return np.asarray(v / np.linalg.norm(v), np.float32)

    def look(self, horse: str) -> Floats:
        if horse not in self._own:
            v = np.sqrt(0.3) * self._common + np.sqrt(0.7) * self._random()
            self._own[horse] = v / np.linalg.norm(v)
        v = np.sqrt(self.steady) * self._own[horse] + np.sqrt(1 - self.steady) * self._random()
        return np.asarray(v / np.linalg.norm(v), np.float32)

    def watch(self, seconds: float, tracks: Mapping[int, str], quality: float = 0.9) -> dict[int, Identity]:
        found: dict[int, Identity] = {}
        for _ in range(round(seconds * 5)):
            self.now += SECOND_US // 5
            glimpses = [Glimpse(track, self.look(horse), quality, "left") for track, horse in tracks.items()]
            found = self.gallery.identify("cam", self.now, list(tracks), glimpses)
        return found


@pytest.fixture
def rows() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def stable(rows: list[tuple[str, dict[str, Any]]]) -> Stable:
    return Stable(Gallery(SIZE, journal=lambda kind, row: rows.append((kind, dict(row))), network="old@1"))


def test_a_stranger_gets_a_stable_name_after_enough_good_pictures(stable: Stable, rows: list[Any]) -> None:
    first = stable.watch(0.6, {1: "bay"})[1]
    assert (first.horse_id, first.name, first.certainty) == (None, None, Certainty.UNKNOWN)
    later = stable.watch(3, {1: "bay"})[1]
    assert later.name == "Unknown 1"
    assert later.horse_id is not None
    assert later.certainty is Certainty.UNKNOWN
    assert [kind for kind, _ in rows].count("horse") == 1
    assert [kind for kind, _ in rows].count("look") >= 5
    assert stable.watch(20, {1: "bay"})[1].horse_id == later.horse_id


def test_poor_pictures_make_no_stranger(stable: Stable) -> None:
    assert stable.watch(10, {1: "bay"}, quality=0.1)[1] == Identity(None, None, Certainty.UNKNOWN)


def test_strangers_are_numbered(stable: Stable) -> None:
    names = {i.name for i in stable.watch(4, {1: "bay", 2: "grey", 3: "pinto"}).values()}
    assert names == {"Unknown 1", "Unknown 2", "Unknown 3"}


@pytest.mark.parametrize("away_s", [60, 3600, 23 * 3600])
def test_a_horse_that_left_and_came_back_is_recognised(stable: Stable, away_s: int) -> None:
    before = stable.watch(4, {1: "bay", 2: "grey"})
    stable.now += away_s * SECOND_US
    after = stable.watch(2, {7: "grey", 8: "bay"})
    assert after[8].horse_id == before[1].horse_id
    assert after[7].horse_id == before[2].horse_id


def test_a_named_horse_is_probable_at_first_and_confirmed_on_more_pictures(stable: Stable) -> None:
    horse_id = stable.watch(4, {1: "bay"})[1].horse_id
    assert horse_id is not None
    stable.gallery.rename(horse_id, "Bella")
    assert stable.watch(0.2, {1: "bay"})[1].name == "Bella"
    stable.now += DAY_US // 2
    first = stable.watch(0.2, {5: "bay"})[5]
    assert (first.name, first.certainty) == ("Bella", Certainty.PROBABLE)
    later = stable.watch(2, {5: "bay"})[5]
    assert (later.name, later.certainty) == ("Bella", Certainty.CONFIRMED)
    assert later.similarity > 0.6


def test_one_horse_is_never_two_tracks_in_one_picture(stable: Stable) -> None:
    horse_id = stable.watch(4, {1: "bay"})[1].horse_id
    for _ in range(20):
        found = stable.watch(0.2, {1: "bay", 2: "bay"})
        named = [i.horse_id for i in found.values() if i.horse_id is not None]
        assert len(named) == len(set(named))
        assert found[1].horse_id == horse_id


def test_a_glance_at_another_horse_does_not_change_the_name(stable: Stable) -> None:
    before = stable.watch(4, {1: "bay", 2: "grey"})
    stable.now += SECOND_US
    stable.gallery.identify("cam", stable.now, [1, 2], [Glimpse(1, stable.look("grey"), 0.9, "left")])
    assert stable.watch(0.2, {1: "bay", 2: "grey"})[1].horse_id == before[1].horse_id


def test_corrections_by_a_person(stable: Stable) -> None:
    found = stable.watch(4, {1: "bay", 2: "grey"})
    bay, grey = found[1].horse_id, found[2].horse_id
    assert bay is not None
    assert grey is not None
    stable.gallery.refuse("cam", 1, bay)
    assert stable.watch(0.2, {1: "bay", 2: "grey"})[1].horse_id != bay
    stable.gallery.assign("cam", 1, bay)
    assert stable.watch(0.2, {1: "bay", 2: "grey"})[1].horse_id == bay
    stable.gallery.merge(grey, bay)
    assert grey not in {horse.id for horse in stable.gallery.horses()}
    assert stable.watch(0.2, {2: "grey"})[2].horse_id == bay


def test_the_journal_alone_rebuilds_the_gallery(stable: Stable, rows: list[tuple[str, dict[str, Any]]]) -> None:
    before = stable.watch(4, {1: "bay", 2: "grey"})
    other = Gallery(SIZE, network="old@1")
    other.load(rows)
    other.load(rows)
    assert [(h.id, h.name, len(h.looks)) for h in other.horses()] == [
        (h.id, h.name, len(h.looks)) for h in stable.gallery.horses()
    ]
    stable.gallery = other
    assert stable.watch(2, {9: "grey"})[9].horse_id == before[2].horse_id


def test_the_cache_brings_back_horses_names_and_merges(stable: Stable) -> None:
    found = stable.watch(4, {1: "bay", 2: "grey"})
    assert found[1].horse_id is not None
    assert found[2].horse_id is not None
    stable.gallery.rename(found[1].horse_id, "Bella")
    stable.gallery.merge(found[2].horse_id, found[1].horse_id)
    other = Gallery(SIZE, network="old@1")
    other.loads(stable.gallery.dump())
    assert [(h.id, h.name, h.stranger) for h in other.horses()] == [(found[1].horse_id, "Bella", False)]
    stable.gallery = other
    assert stable.watch(2, {9: "grey"})[9].name == "Bella"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"version": 2, "rows": []}'])
def test_a_foreign_cache_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cache"):
        Gallery(SIZE).loads(data)


def test_two_processes_settle_on_different_names_for_two_strangers() -> None:
    row = {"id": "b", "name": "Unknown 1", "stranger": True, "created_us": 20}
    earlier = {"id": "a", "name": "Unknown 1", "stranger": True, "created_us": 10}
    for order in ([row, earlier], [earlier, row]):
        gallery = Gallery(SIZE)
        for each in order:
            gallery.apply("horse", each)
        assert {h.id: h.name for h in gallery.horses()} == {"a": "Unknown 1", "b": "Unknown 2"}


def test_a_horse_keeps_few_looks_and_different_ones() -> None:
    rng = np.random.default_rng(1)
    book = LookBook(SIZE, looks_a_horse=6)
    book.put(Horse("h", "Bella", False, 0))
    sides = [v / np.linalg.norm(v) for v in rng.normal(size=(3, SIZE))]
    for k in range(60):
        v = np.asarray(sides[0 if k % 10 else k // 10 % 3] + rng.normal(size=SIZE) * 0.02, np.float32)
        book.add("h", Look(v / np.linalg.norm(v), "left", k))
    horse = book.get("h")
    assert horse is not None
    assert len(horse.looks) == 6
    nearest = [max(float(side @ look.vector) for look in horse.looks) for side in sides]
    assert min(nearest) > 0.95


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        ([[0.9, 0.5]], [[0.4, -0.4]]),
        ([[0.9]], [[0.9]]),
        ([[0.7, 0.7]], [[0.0, 0.0]]),
        ([[0.5, -1.0]], [[0.5, -1.5]]),
    ],
)
def test_lead_is_the_distance_to_the_best_other_horse(similarity: list[list[float]], expected: list[list[float]]) -> None:
    assert np.allclose(leads(np.array(similarity, np.float32)), expected, atol=1e-6)


def test_names_are_given_together() -> None:
    odds = np.array([[3.0, 2.0], [2.9, -5.0]], np.float32)
    assert together(odds, odds > -10, 0.4) == {0: 1, 1: 0}
    assert together(odds, np.array([[True, False], [True, True]]), 0.4) == {0: 0}
    assert together(np.zeros((2, 0), np.float32), np.zeros((2, 0), bool), 0.4) == {}


def test_calibration_from_what_the_embedder_says() -> None:
    stated = Calibration.of_distances({"same": {"mean": 0.8, "std": 0.1}, "different": {"mean": 0.4, "std": 0.1}})
    assert stated.even == pytest.approx(0.6)
    assert stated.log_odds(np.float32(0.8), np.float32(stated.lead)) > 2
    assert Calibration.of_distances({}) == Calibration()
    assert Calibration.of_distances({"even": 0.5, "spread": 0.04}).even == 0.5
    with pytest.raises(ValueError, match="positive"):
        Calibration(spread=0)


def test_a_stranger_nobody_saw_for_long_is_forgotten() -> None:
    stable = Stable(Gallery(SIZE, GalleryOptions(stranger_days=2)))
    stable.watch(4, {1: "bay"})
    stable.now += 3 * DAY_US
    stable.watch(1, {2: "grey"})
    assert [h.name for h in stable.gallery.horses()] == []


def test_looks_of_another_network_are_passed_over(stable: Stable, rows: list[tuple[str, dict[str, Any]]]) -> None:
    """A network that is trained anew keeps its vectors' length; what they mean changes."""
    stable.watch(4, {1: "bay"})
    assert {row["network"] for kind, row in rows if kind == "look"} == {"old@1"}
    same, new = Gallery(SIZE, network="old@1"), Gallery(SIZE, network="new@2")
    for gallery in (same, new):
        gallery.load(rows)
    assert [len(horse.looks) for horse in same.horses()] == [len(horse.looks) for horse in stable.gallery.horses()]
    assert [(horse.name, horse.looks) for horse in new.horses()] == [("Unknown 1", [])]
    cached = Gallery(SIZE, network="new@2")
    cached.loads(stable.gallery.dump())
    assert [(horse.name, horse.looks) for horse in cached.horses()] == [("Unknown 1", [])]
    before_it_was_kept = [(kind, {k: v for k, v in row.items() if k != "network"}) for kind, row in rows]
    new.load(before_it_was_kept)
    new.load((kind, {**row, "network": None}) for kind, row in rows if kind == "look")
    assert new.horses()[0].looks == []


def test_what_a_refused_track_taught_is_gone_from_the_rows_too(stable: Stable, rows: list[tuple[str, dict[str, Any]]]) -> None:
    bay = stable.watch(4, {1: "bay"})[1].horse_id
    assert bay is not None
    stable.gallery.assign("cam", 1, bay)
    stable.now += 3600 * SECOND_US
    stable.steady = 0.75  # seen differently enough to be learned
    stable.watch(60, {2: "bay"})
    taught = {(row["kind"], row["taken_us"]) for kind, row in rows if kind == "look" and row["track_id"] == 2}
    assert taught
    # A successor knows what was learned from whom: it hears of the refusal, and tells the store.
    told: list[tuple[str, dict[str, Any]]] = []
    after = Gallery(SIZE, journal=lambda kind, row: told.append((kind, dict(row))), network="old@1")
    after.load(rows)
    after.apply("refuse", {"stream_id": "cam", "track_id": 2, "horse_id": bay})
    assert {(row["kind"], row["taken_us"]) for kind, row in told if kind == "look_deleted"} == taught
    assert {look.track for look in after.horses()[0].looks} == {("cam", 1)}
    third = Gallery(SIZE, network="old@1")
    third.load(rows + told)
    assert {look.track for look in third.horses()[0].looks} == {("cam", 1)}
    vouched = [{look.taken_us for look in each.horses()[0].looks if look.vouched} for each in (stable.gallery, third)]
    assert vouched[0] == vouched[1] != set()


def test_what_a_track_taught_another_horse_shows_the_one_it_is(stable: Stable, rows: list[tuple[str, dict[str, Any]]]) -> None:
    found = stable.watch(4, {1: "bay", 2: "grey"})
    juno, bella = found[1].horse_id, found[2].horse_id
    assert juno is not None
    assert bella is not None
    # Also by somebody who does not follow the track any more.
    told: list[tuple[str, dict[str, Any]]] = []
    after = Gallery(SIZE, journal=lambda kind, row: told.append((kind, dict(row))), network="old@1")
    after.load(rows)
    for gallery in (stable.gallery, after):
        gallery.apply("assign", {"stream_id": "cam", "track_id": 1, "horse_id": bella})
    third = Gallery(SIZE, network="old@1")
    third.load(rows + told)
    for gallery in (stable.gallery, after, third):
        looks = {horse.id: {(look.track, look.vouched) for look in horse.looks} for horse in gallery.horses()}
        assert looks == {juno: set(), bella: {(("cam", 1), True), (("cam", 2), False)}}
    assert stable.watch(1, {1: "bay"})[1].horse_id == bella


def test_a_person_may_take_back_what_a_person_said(stable: Stable) -> None:
    bay = stable.watch(4, {1: "bay"})[1].horse_id
    assert bay is not None
    stable.gallery.assign("cam", 1, bay)
    stable.gallery.refuse("cam", 1, bay)
    assert [horse.looks for horse in stable.gallery.horses()] == [[]]
    assert stable.watch(1, {1: "bay"})[1].horse_id != bay


def test_the_rows_hold_no_more_looks_than_the_gallery(rows: list[tuple[str, dict[str, Any]]]) -> None:
    options = GalleryOptions(looks=6, learn_s=0.5)
    stable = Stable(Gallery(SIZE, options, lambda kind, row: rows.append((kind, dict(row)))), steady=0.75)
    stable.watch(60, {1: "bay"})
    taught = {(row["kind"], row["taken_us"]) for kind, row in rows if kind == "look"}
    gone = {(row["kind"], row["taken_us"]) for kind, row in rows if kind == "look_deleted"}
    kept = {(look.kind, look.taken_us) for look in stable.gallery.horses()[0].looks}
    assert len(taught) > 6
    assert taught - gone == kept
    assert len(kept) == 6


def test_a_recording_is_looked_at_while_the_camera_goes_on(stable: Stable) -> None:
    """Two clocks in one stream: neither makes the other's tracks old, and a person corrects both by stream and track."""
    bay = stable.watch(4, {1: "bay"})[1].horse_id
    assert bay is not None
    then = stable.now - 3600 * SECOND_US
    for k in range(20):
        at = then + k * SECOND_US // 5
        seen = stable.gallery.identify("cam", at, [900], [Glimpse(900, stable.look("bay"), 0.9, "left")], "history")
        stable.watch(0.2, {1: "bay"})
    assert seen[900].horse_id == bay
    stable.gallery.refuse("cam", 900, bay)
    after = stable.gallery.identify(
        "cam", then + 5 * SECOND_US, [900], [Glimpse(900, stable.look("bay"), 0.9, "left")], "history"
    )
    assert after[900].horse_id != bay
    assert stable.watch(0.2, {1: "bay"})[1].horse_id == bay


def test_the_name_of_a_forgotten_stranger_is_not_given_again() -> None:
    stable = Stable(Gallery(SIZE, GalleryOptions(stranger_days=2)))
    stable.watch(4, {1: "bay"})
    stable.now += 3 * DAY_US
    stable.watch(1, {2: "grey"})
    assert stable.watch(4, {2: "grey"})[2].name == "Unknown 2"


def test_a_stranger_the_store_saw_lately_is_not_forgotten() -> None:
    stable = Stable(Gallery(SIZE, GalleryOptions(stranger_days=2)))
    stable.watch(4, {1: "bay"})
    lately = stable.now + 3 * DAY_US - 3600 * SECOND_US
    (horse,) = stable.gallery.horses()
    row = {"id": horse.id, "name": horse.name, "stranger": True, "created_us": horse.created_us, "seen_us": lately}
    stable.gallery.apply("horse", row)
    again = Gallery(SIZE, GalleryOptions(stranger_days=2))
    again.loads(stable.gallery.dump())
    stable.gallery = again
    stable.now += 3 * DAY_US
    stable.watch(1, {2: "grey"})
    stable.now += 60 * SECOND_US
    assert stable.watch(1, {3: "bay"})[3].name == "Unknown 1"

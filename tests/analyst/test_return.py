"""A horse that left and came back hours later, with the analyst restarted between: real hub, spool, store and gallery."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.analyst.blobs import START_US, BlobDetector, BlobEmbedder, frame, walker
from tests.store_rows import drain

from barnhand.analyst.camera import Camera
from barnhand.analyst.gallery_link import GalleryLink
from barnhand.analyst.options import AnalystOptions
from barnhand.analyst.pipeline import Pipeline
from barnhand.analyst.stages import Stages
from barnhand.core.identity import Certainty
from barnhand.core.observation import HorseObservation
from barnhand.core.stream import SourceType
from barnhand.core.time import SECOND_US, FakeClock
from barnhand.hub.embedded import EmbeddedHub
from barnhand.hub.hub import Hub
from barnhand.store.addresses import Address
from barnhand.store.database import connect
from barnhand.store.secrets import SecretBox
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

HOUR_S = 3600


class Yard:
    """One camera whose analyst is started and stopped; rows go through the spool into the store."""

    def __init__(self, hub: Hub, database_url: str, folder: Path) -> None:
        self.clock, self.hub, self.folder = FakeClock(START_US), hub, folder
        self.engine = connect(database_url)
        self.store = Store(self.engine, SecretBox.open(folder / "secrets"), self.clock)
        self.spool = Spool(folder / "spool", clock=self.clock)
        self.writer = Writer(folder / "spool", self.engine, self.clock)
        address = Address("rtsp://camera/1")
        self.stream_id = self.store.streams.create(name="Box 1", source_type=SourceType.RTSP, address=address).id

    def analyse(self, start_s: float, seconds: float, *blobs: str, network: str = "blobs@1") -> dict[str, HorseObservation]:
        """A whole life of an analyst: from checkpoint and store, over some pictures, to checkpoint and store."""
        link = GalleryLink(12, self.hub, self.spool, self.clock, f"at {start_s}", network=network)
        link.start(self.store.horses.gallery())
        options = AnalystOptions()
        pipeline = Pipeline(Stages(BlobDetector(), embed=BlobEmbedder()), link.gallery, first_id=round(start_s) + 1)
        camera = Camera(self.stream_id, pipeline, options)
        saved = self.hub.load_checkpoint(f"analyst:{self.stream_id}")
        if saved is not None:
            assert camera.resume(saved, options)
        for k in range(round(seconds * 5)):
            t = k / 5
            at = {
                name: walker(start_s % HOUR_S + t, start=20 + 120 * i, speed=4, y=20 + 80 * i) for i, name in enumerate(blobs)
            }
            observation = camera.pipeline.process(frame(at, start_s + t, self.stream_id))
            self.spool.append("observation", [observation.to_dict()])
        self.hub.save_checkpoint(f"analyst:{self.stream_id}", camera.checkpoint())
        link.stop()
        self.clock.advance((START_US - self.clock.wall_us()) / SECOND_US + start_s + seconds)
        drain(self.writer)
        found = {}
        for horse in observation.horses:
            middle = (horse.box[1] + horse.box[3]) / 2
            found[blobs[0 if middle < 90 else 1]] = horse
        return found

    def close(self) -> None:
        self.spool.close()
        self.engine.dispose()


@pytest.fixture
def yard(hub_server: EmbeddedHub, database_url: str, tmp_path: Path) -> Iterator[Yard]:
    hub = Hub(hub_server.url)
    made = Yard(hub, database_url, tmp_path)
    yield made
    made.close()
    hub.close()


def test_horses_keep_their_names_over_five_hours_and_a_restart(yard: Yard) -> None:
    before = yard.analyse(0, 8, "red", "blue")
    bella = before["red"].identity.horse_id
    assert bella is not None
    assert before["blue"].identity.name in ("Unknown 1", "Unknown 2")
    yard.store.horses.update(bella, {"name": "Bella"})
    # Nothing but the checkpoint and the store: the cache file is another machine's.
    after = yard.analyse(5 * HOUR_S, 4, "blue", "red")
    assert (after["red"].identity.horse_id, after["red"].identity.name) == (bella, "Bella")
    assert after["red"].identity.certainty is Certainty.CONFIRMED
    assert after["blue"].identity.horse_id == before["blue"].identity.horse_id
    assert after["blue"].identity.name == before["blue"].identity.name
    # They are new tracks: it was not the tracker that remembered.
    assert {horse.track_id for horse in after.values()}.isdisjoint({horse.track_id for horse in before.values()})
    sightings = yard.store.horses.sightings([bella])[bella]
    assert (sightings[0].last_seen - sightings[0].first_detected).total_seconds() // HOUR_S == 5


def test_a_restart_of_a_second_keeps_the_track_as_well(yard: Yard) -> None:
    before = yard.analyse(0, 8, "red", "blue")
    after = yard.analyse(8, 2, "red", "blue")
    for name in ("red", "blue"):
        assert after[name].track_id == before[name].track_id
        assert after[name].identity.horse_id == before[name].identity.horse_id


def test_a_network_trained_anew_compares_nothing_with_the_looks_of_the_old(yard: Yard) -> None:
    """It takes the horses for strangers, though its vectors happen to be the same; the old one still knows them."""
    before = yard.analyse(0, 8, "red")["red"].identity
    other = yard.analyse(5 * HOUR_S, 8, "red", network="blobs@2")["red"].identity
    assert (before.name, other.name) == ("Unknown 1", "Unknown 2")
    again = yard.analyse(6 * HOUR_S, 4, "red", network="blobs@1")["red"].identity
    assert again.horse_id == before.horse_id


def test_what_a_refused_track_taught_is_not_in_the_database(yard: Yard) -> None:
    before = yard.analyse(0, 8, "red")["red"]
    assert before.identity.horse_id is not None
    assert yard.store.horses.looks()
    link = GalleryLink(12, yard.hub, yard.spool, yard.clock, "another", network="blobs@1")
    link.gallery.load(yard.store.horses.gallery())
    refusal = {"stream_id": yard.stream_id, "track_id": before.track_id, "horse_id": before.identity.horse_id}
    link.gallery.apply("refuse", refusal)
    drain(yard.writer)
    assert yard.store.horses.looks() == []


def test_an_animal_that_was_corrected_while_no_analyst_ran_teaches_who_it_is(yard: Yard) -> None:
    before = yard.analyse(0, 8, "red")["red"]
    assert before.identity.horse_id is not None
    yard.store.horses.update(before.identity.horse_id, {"name": "Juno"})
    bella = yard.store.horses.create(name="Bella").id
    yard.store.corrections.assign(yard.stream_id, before.track_id, bella)
    after = yard.analyse(5 * HOUR_S, 4, "red")["red"].identity
    assert (after.horse_id, after.name, after.certainty) == (bella, "Bella", Certainty.CONFIRMED)


def test_an_analyst_hears_the_api_and_calls_the_animal_so(yard: Yard) -> None:
    before = yard.analyse(0, 8, "red")["red"]
    bella = yard.store.horses.create(name="Bella").id
    link = GalleryLink(12, yard.hub, yard.spool, yard.clock, "another", network="blobs@1")
    link.start(yard.store.horses.gallery())
    row = {"stream_id": yard.stream_id, "track_id": before.track_id, "horse_id": bella}
    for _ in range(100):
        # Its reader begins with what is told once it listens.
        yard.hub.publish_event("gallery", {"origin": "api", "kind": "assign", "row": row})
        if next(horse for horse in link.gallery.horses() if horse.id == bella).looks:
            break
        time.sleep(0.05)
    link.stop()
    drain(yard.writer)
    assert {(look.name, look.vouched) for look in yard.store.horses.looks()} == {("Bella", True)}

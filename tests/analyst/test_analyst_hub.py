"""The analyst and the gallery's link on the real hub and the real spool."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tests.analyst.blobs import BlobDetector, BlobEmbedder, walker
from tests.analyst.tape import camera, record
from tests.servers import HubServer

from barnhand.analyst.analyst import Analyst
from barnhand.analyst.gallery_link import GalleryLink
from barnhand.analyst.stages import Stages
from barnhand.core.media import Fragment
from barnhand.core.time import SECOND_US, SystemClock
from barnhand.hub.hub import Hub
from barnhand.identity.evidence import Glimpse
from barnhand.store.spool import Spool, SpoolReader

STREAM = "11111111-1111-1111-1111-111111111111"


def eventually(what: str, holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(what)


def test_fragments_on_the_hub_become_observations_on_the_hub_and_in_the_spool(hub_server: HubServer, tmp_path: Path) -> None:
    clock = SystemClock()
    hub = Hub(hub_server.url)
    tape = record(tmp_path / "a.mp4", lambda t: {"red": walker(t)}, 3, STREAM, start_us=clock.wall_us() + SECOND_US // 2)
    hub.publish_init(tape[0])  # type: ignore[arg-type]
    spool = Spool(tmp_path / "spool")
    analyst = Analyst(hub, spool, lambda: Stages(BlobDetector(), embed=BlobEmbedder()), clock)
    analyst.reconcile([camera(STREAM)])
    for segment in tape[1:]:
        assert isinstance(segment, Fragment)
        time.sleep(max(segment.wall_us - clock.wall_us(), 0) / SECOND_US)
        hub.publish_fragments([segment])
    eventually("the state is told", lambda: STREAM in hub.states("analyst"))
    analyst.stop()
    spool.close()
    rows = []
    reader = SpoolReader(tmp_path / "spool")
    while (batch := reader.read(1000)) is not None:
        rows += [row.data for row in batch.rows if row.kind == "observation"]
    assert len(rows) >= 5
    assert {horse["track_id"] for row in rows for horse in row["horses"]} == {rows[-1]["horses"][0]["track_id"]}
    assert hub.load_checkpoint(f"analyst:{STREAM}") is not None
    hub.close()


def test_what_one_analyst_learns_the_other_knows_and_the_cache_keeps(hub_server: HubServer, tmp_path: Path) -> None:
    hub, clock = Hub(hub_server.url), SystemClock()
    spool = Spool(tmp_path / "spool")
    one, two = (GalleryLink(12, hub, spool, clock, name, tmp_path / f"{name}.json") for name in ("one", "two"))
    one.start()
    two.start()
    time.sleep(0.3)
    vector = np.eye(12, dtype=np.float32)[3]
    for k in range(20):
        one.gallery.identify("cam", k * SECOND_US // 2, [1], [Glimpse(1, vector, 0.9, "left")])
    eventually("the other knows", lambda: [len(h.looks) for h in two.gallery.horses()] == [5])
    assert [h.name for h in two.gallery.horses()] == ["Unknown 1"]
    horse_id = two.gallery.horses()[0].id
    hub.publish_event(
        "gallery", {"origin": "api", "kind": "horse", "row": {"id": horse_id, "name": "Bella", "stranger": False}}
    )
    eventually("a person's name arrives", lambda: one.gallery.horses()[0].name == "Bella")
    one.stop()
    two.stop()
    again = GalleryLink(12, hub, spool, clock, "three", tmp_path / "one.json")
    again.start()
    assert [h.name for h in again.gallery.horses()] == ["Bella"]
    again.stop()
    hub.close()

"""What was seen, by page and as an overlay."""

from typing import Any
from uuid import uuid4

import pytest
from tests.api.service import Service
from tests.store_rows import NOON_US, horse_seen, new_id, observation_of

from barnhand.core.observation import Observation
from barnhand.store.records import Role

SECOND = 1_000_000


def see(service: Service, *observations: Observation) -> None:
    service.spool.append("observation", [observation.to_dict() for observation in observations])
    service.copy()


def test_the_contracts_detection(service: Service) -> None:
    stream, horse = service.camera(), new_id()
    see(service, observation_of(stream, NOON_US, horse_seen(1, horse, "Bella", {"velocity": 1.5, "stride_frequency": None})))
    with service.signed_in(Role.VIEWER) as client:
        (found,) = client.get("/v1/detections", params={"stream_id": stream}).json()
    assert found["timestamp"] == "2026-11-25T12:00:00Z"
    assert (found["stream_id"], found["horse_id"], found["name"]) == (stream, horse, "Bella")
    assert found["bbox"] == {"x": 10, "y": 20, "width": 100, "height": 200, "confidence": 0.875}
    assert found["pose"]["keypoints"][1] == {"x": 2, "y": 3, "confidence": 0.5, "name": "right_eye"}
    assert found["metrics"] == {"velocity": 1.5, "stride_frequency": None}


def test_pages_join_without_a_seam(service: Service) -> None:
    stream = service.camera()
    see(service, *(observation_of(stream, NOON_US + n // 2 * SECOND, horse_seen(n)) for n in range(25)))
    found: list[tuple[str, int]] = []
    with service.signed_in(Role.VIEWER) as client:
        url: str | None = f"/v1/detections?stream_id={stream}&limit=4"
        while url is not None:
            answer = client.get(url)
            found += [(row["timestamp"], row["track_id"]) for row in answer.json()]
            assert ("x-next-cursor" in answer.headers) == ("next" in answer.links)
            url = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(found) == 25
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("query", "tracks"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"start_time": "2026-11-25T12:00:02Z"}, [4, 3, 2]),
        ({"end_time": "2026-11-25T12:00:02Z"}, [1, 0]),
        ({"start_time": "2026-11-25T13:00:01+01:00", "end_time": "2026-11-25T12:00:04Z"}, [3, 2, 1]),
        ({"limit": 2}, [4, 3]),
    ],
)
def test_a_time_can_be_asked_for(service: Service, query: dict[str, Any], tracks: list[int]) -> None:
    stream = service.camera()
    see(service, *(observation_of(stream, NOON_US + n * SECOND, horse_seen(n)) for n in range(5)))
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get("/v1/detections", params={"stream_id": stream, **query})
    assert [row["track_id"] for row in answer.json()] == tracks


def test_a_horse_can_be_asked_for(service: Service) -> None:
    stream, bella, star = service.camera(), new_id(), new_id()
    see(service, observation_of(stream, NOON_US, horse_seen(1, bella), horse_seen(2, star), horse_seen(3)))
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get("/v1/detections", params={"stream_id": stream, "horse_id": star})
    assert [row["track_id"] for row in answer.json()] == [2]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"stream_id": None}, 422, "stream_id: "),
        ({"stream_id": "box"}, 422, "stream_id: "),
        ({"stream_id": str(uuid4())}, 404, "no such camera"),
        ({"start_time": "2026-11-25T12:00:00"}, 422, "needs a zone"),
        ({"start_time": "noon"}, 422, "start_time: "),
        ({"limit": 0}, 422, "limit: "),
        ({"limit": 1001}, 422, "limit: "),
        ({"cursor": "guess"}, 422, "cursor is not one"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    service: Service, query: dict[str, Any], status: int, sentence: str
) -> None:
    params = {key: value for key, value in {"stream_id": service.camera(), **query}.items() if value is not None}
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get("/v1/detections", params=params)
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_the_overlay_comes_in_the_form_it_was_seen_live(service: Service) -> None:
    stream, horse = service.camera(), new_id()
    seen = [
        observation_of(stream, NOON_US + n * SECOND, horse_seen(1, horse, "Bella"), horse_seen(2, pose=False)) for n in range(3)
    ]
    see(service, *seen)
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/streams/{stream}/observations", params={"start_us": NOON_US, "end_us": NOON_US + 2 * SECOND})
    assert answer.headers["content-encoding"] == "gzip"
    page = answer.json()
    assert page["observations"] == [observation.to_dict() for observation in seen[:2]]
    assert page["next_us"] is None
    assert page["coverage"] == [{"minute_us": NOON_US, "observed_seconds": 2.0}]


def test_a_long_overlay_comes_in_whole_pictures(service: Service) -> None:
    stream = service.camera()
    see(service, *(observation_of(stream, NOON_US + n * SECOND, *(horse_seen(k) for k in range(3))) for n in range(4)))
    rows, next_us = service.store.detections.stretch(stream, NOON_US, NOON_US + 60 * SECOND, limit=7)
    assert [row.time_us for row in rows] == [NOON_US] * 3 + [NOON_US + SECOND] * 3
    assert next_us == NOON_US + 2 * SECOND


def test_hours_come_with_what_was_watched(service: Service) -> None:
    stream, horse = service.camera(), new_id()
    see(service, *(observation_of(stream, NOON_US + n * SECOND, horse_seen(1, horse)) for n in range(5)))
    service.clock.advance(3 * 3600)
    service.writer.upkeep()
    query = {"start_time": "2026-11-25T12:00:00Z", "end_time": "2026-11-25T15:00:00Z"}
    with service.signed_in(Role.VIEWER) as client:
        found = client.get("/v1/activity", params={**query, "horse_id": horse}).json()
    assert found["hours"] == [
        {
            "hour": "2026-11-25T12:00:00Z",
            "stream_id": stream,
            "horse_id": horse,
            "detection_count": 5,
            "avg_velocity": 1.5,
            "max_velocity": 1.5,
            "observed_seconds": 4.0,
        }
    ]
    assert [hour["observed_seconds"] for hour in found["coverage"]] == [4.0]


def test_a_skeleton_is_told_for_drawing(service: Service) -> None:
    with service.signed_in(Role.VIEWER) as client:
        found = client.get("/v1/skeletons/horse-20").json()
        assert len(found["points"]) == 20
        assert all(end in found["points"] for bone in found["bones"] for end in bone)
        assert client.get("/v1/skeletons/unicorn").status_code == 404


def test_a_stranger_gets_a_name_everywhere(service: Service) -> None:
    stream, horse = service.camera(), new_id()
    events = service.hub.events()
    events.read(block_ms=1)
    see(service, observation_of(stream, NOON_US, horse_seen(1, horse, "Unknown 1")))
    with service.signed_in(Role.GROOM) as client:
        (found,) = client.get("/v1/horses", params={"stranger": True}).json()
        assert (found["id"], found["name"]) == (horse, "Unknown 1")
        assert [sighting["stream_id"] for sighting in found["seen"]] == [stream]
        changed = client.patch(f"/v1/horses/{horse}", json={"name": "Bella", "age": 9})
        assert (changed.json()["name"], changed.json()["stranger"], changed.json()["age"]) == ("Bella", False, 9)
        (row,) = client.get("/v1/detections", params={"stream_id": stream}).json()
        assert row["name"] == "Bella"
    told = [payload["row"] for name, payload in events.read() if name == "gallery"]
    assert [(row["id"], row["name"], row["stranger"]) for row in told] == [(horse, "Bella", False)]


def test_two_horses_that_are_one_are_merged(service: Service) -> None:
    stream, stranger = service.camera(), new_id()
    see(service, observation_of(stream, NOON_US, horse_seen(1, stranger, "Unknown 1")))
    with service.signed_in(Role.GROOM) as client:
        bella = client.post("/v1/horses", json={"name": "Bella", "breed": "Haflinger"}).json()["id"]
        merged = client.post(f"/v1/horses/{stranger}/merge", json={"into": bella})
        assert merged.json()["id"] == bella
        assert [horse["name"] for horse in client.get("/v1/horses").json()] == ["Bella"]
        assert client.get(f"/v1/horses/{stranger}").json()["id"] == bella
        assert client.post(f"/v1/horses/{stranger}/merge", json={"into": bella}).status_code == 422
        assert client.post(f"/v1/horses/{bella}/merge", json={"into": str(uuid4())}).status_code == 404
    kinds = [kind for kind, _ in service.store.horses.gallery()]
    assert kinds == ["horse", "merge"]


def test_a_viewer_names_no_horses(service: Service) -> None:
    with service.signed_in(Role.VIEWER) as client:
        assert client.post("/v1/horses", json={"name": "Bella"}).status_code == 403

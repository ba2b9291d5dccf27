"""A person says who one animal is, by way of the api."""

from uuid import uuid4

import httpx
import pytest
from tests.api.service import Service
from tests.store_rows import NOON_US, horse_seen, new_id, observation_of

from barnhand.store.records import Role

TRACK = 2**41 + 7


@pytest.fixture
def juno(service: Service) -> str:
    return service.store.horses.create(name="Juno").id


@pytest.fixture
def path(service: Service, juno: str) -> str:
    """The address of the name of an animal that was seen as Juno."""
    stream = service.camera()
    service.spool.append("observation", [observation_of(stream, NOON_US, horse_seen(TRACK, juno)).to_dict()])
    service.copy()
    return f"/v1/streams/{stream}/tracks/{TRACK}/horse"


def names(service: Service) -> list[tuple[str | None, str]]:
    (stream,) = service.store.streams.all()
    return [(row.horse_name, row.certainty) for row in service.store.detections.page(stream.id)]


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["detail"]


def test_an_animal_is_said_to_be_another_horse(service: Service, path: str, juno: str) -> None:
    events = service.hub.events()
    events.read(block_ms=1)
    bella = service.store.horses.create(name="Bella").id
    with service.signed_in(Role.GROOM) as client:
        answer = client.put(path, json={"horse_id": bella})
    assert (answer.status_code, answer.json()["name"]) == (200, "Bella")
    assert [sighting["stream_id"] for sighting in answer.json()["seen"]] == [path.split("/")[3]]
    assert names(service) == [("Bella", "confirmed")]
    told = [payload for name, payload in events.read(block_ms=2000) if name == "gallery"]
    assert told == [
        {"origin": "api", "kind": "assign", "row": {"stream_id": path.split("/")[3], "track_id": TRACK, "horse_id": bella}}
    ]


@pytest.mark.parametrize("named", [False, True])
def test_an_animal_is_said_not_to_be_the_horse_it_is_called(service: Service, path: str, juno: str, named: bool) -> None:
    events = service.hub.events()
    events.read(block_ms=1)
    with service.signed_in(Role.VET) as client:
        answer = client.delete(path, params={"horse_id": juno} if named else None)
        assert (answer.status_code, answer.content) == (204, b"")
        told = [payload for name, payload in events.read(block_ms=2000) if name == "gallery"]
        assert [event["kind"] for event in told] == ["refuse"]
        assert told[0]["row"] == {"stream_id": path.split("/")[3], "track_id": TRACK, "horse_id": juno}
        assert names(service) == [(None, "unknown")]
        assert problem(client.delete(path)) == (
            404,
            "This animal is not called any horse, so there is nothing to take back.",
        )


def test_what_is_not_there_is_said_in_words_and_told_to_nobody(service: Service, path: str, juno: str) -> None:
    events = service.hub.events()
    events.read(block_ms=1)
    unknown = path.replace(str(TRACK), "3")
    with service.signed_in(Role.GROOM) as client:
        for answer in (client.put(unknown, json={"horse_id": juno}), client.delete(unknown)):
            assert problem(answer) == (404, "Nothing is recorded of this animal, or not yet; try again in a moment.")
        assert problem(client.put(path, json={"horse_id": str(uuid4())})) == (404, "There is no such horse.")
        assert problem(client.delete(path, params={"horse_id": new_id()})) == (404, "There is no such horse.")
        assert problem(client.put(path, json={"horse_id": "Bella"}))[0] == 422
        assert problem(client.put(path.replace(str(TRACK), str(2**63)), json={"horse_id": juno}))[0] == 422
    assert events.read(block_ms=200) == []
    assert names(service) == [("Juno", "confirmed")]


def test_a_viewer_says_of_no_animal_who_it_is(service: Service, path: str, juno: str) -> None:
    with service.signed_in(Role.VIEWER) as client:
        assert problem(client.put(path, json={"horse_id": juno}))[0] == 403
        assert problem(client.delete(path))[0] == 403
    assert names(service) == [("Juno", "confirmed")]

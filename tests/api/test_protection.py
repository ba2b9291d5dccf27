"""Recordings that are kept: the row says so and retention, which looks at files alone, obeys."""

from pathlib import Path

import pytest
from tests.api.service import Service
from tests.api.test_conversion import record
from tests.store_rows import NOON_US

from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.retention import Retention
from barnhand.recorder.rows import Rows
from barnhand.store.records import Role

SECOND = 1_000_000


def test_what_is_kept_outlives_its_age(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    chunks = [record(service, tmp_path, stream, NOON_US + n * 2 * SECOND, kind="plain") for n in range(4)]
    url = f"/v1/streams/{stream}/protection"
    params = {"start_us": NOON_US + 2 * SECOND, "end_us": NOON_US + 5 * SECOND}
    with service.signed_in(Role.GROOM) as client:
        answer = client.put(url, params=params)
        assert answer.json() == {
            "protected": True,
            "chunks": 2,
            "start_us": NOON_US + 2 * SECOND,
            "end_us": NOON_US + 6 * SECOND,
        }
        told = client.get(f"/v1/streams/{stream}/chunks").json()
        assert [chunk["protected"] for chunk in told] == [False, True, True, False]
        service.clock.advance(3600)
        retention = Retention(
            service.recordings, Rows(service.spool), service.clock, RecorderOptions(retention_s=60, free_bytes=0)
        )
        assert retention.clean(set()) == 2
        service.copy()
        left = client.get(f"/v1/streams/{stream}/chunks").json()
        assert [chunk["id"] for chunk in left] == [chunks[1].id, chunks[2].id]
        assert all((service.recordings / chunk.path).is_file() for chunk in chunks[1:3])

        assert client.delete(url, params=params).json()["protected"] is False
        service.clock.advance(3700)
        assert retention.clean(set()) == 2
        service.copy()
        assert client.get(f"/v1/streams/{stream}/chunks").json() == []
    assert [path for path in service.recordings.rglob("*") if path.is_file()] == []


def test_recordings_that_went_meanwhile_are_not_promised(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    gone, there = (record(service, tmp_path, stream, NOON_US + n * 2 * SECOND, kind="plain") for n in range(2))
    (service.recordings / gone.path).unlink()
    params = {"start_us": NOON_US, "end_us": NOON_US + 10 * SECOND}
    with service.signed_in(Role.GROOM) as client:
        answer = client.put(f"/v1/streams/{stream}/protection", params=params)
        assert (answer.json()["chunks"], answer.json()["start_us"]) == (1, there.start_us)
        (service.recordings / there.path).unlink()
        answer = client.put(f"/v1/streams/{stream}/protection", params=params)
    assert answer.status_code == 404
    assert "removed by age" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("role", "seconds", "status", "words"),
    [
        (Role.VIEWER, 10, 403, "needs the role groom"),
        (Role.GROOM, -1, 422, "nd_us is not after start_us"),
        (Role.GROOM, 86_401, 422, "24 h at most"),
        (Role.GROOM, 10, 404, "othing was recorded in that time"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_cannot_be_kept(service: Service, method: str, role: Role, seconds: int, status: int, words: str) -> None:
    params = {"start_us": NOON_US, "end_us": NOON_US + seconds * SECOND}
    with service.signed_in(role) as client:
        answer = client.request(method, f"/v1/streams/{service.camera()}/protection", params=params)
    assert answer.status_code == status
    assert words in answer.json()["detail"]

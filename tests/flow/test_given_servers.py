"""The same flow on Debian's PostgreSQL and Redis, which may be away: later, and even when BarnHand starts."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.yard import Cameras, Yard, until
from sqlalchemy import make_url
from tests.servers import DebianPostgres, DebianRedis, execute

from barnhand.store.database import connect

pytestmark = pytest.mark.servers


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[DebianPostgres]:
    server = DebianPostgres(open_folder / "flow")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[DebianRedis]:
    server = DebianRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def values(url: str, query: str) -> list[Any]:
    engine = connect(url)
    with engine.connect() as connection:
        found = list(connection.exec_driver_sql(query).scalars())
    engine.dispose()
    return found


def test_cameras_are_recorded_while_given_servers_are_away(
    tmp_path: Path, cameras: Cameras, postgres: DebianPostgres, redis: DebianRedis
) -> None:
    execute(postgres.url, "create database barnhand")
    url = make_url(postgres.url).set(database="barnhand").render_as_string(hide_password=False)
    yard = Yard(
        tmp_path / "data",
        {
            "BARNHAND_DATABASE_URL": url,
            "BARNHAND_REDIS_URL": redis.url,
            "BARNHAND_ANALYSTS": "1",
            "BARNHAND_MIN_FREE_GB": "0",
        },
    )

    def files() -> set[str]:
        found = (yard.folder / "recordings" / camera).rglob("*.mp4")
        return {path.relative_to(yard.folder / "recordings").as_posix() for path in found}

    try:
        with yard:
            camera = yard.add("Paddock", cameras.url("paddock"))
            until(lambda: values(url, "select 1 from detections limit 1"), 60, "a detection has a row")
            before = files()
            postgres.stop(signal.SIGQUIT)
            redis.stop()
            until(lambda: files() - before, 40, "a chunk is begun while both are away")
        # Started without them, from what it knows.
        before = files()
        yard.start(wait=False)
        until(lambda: files() - before, 60, "a chunk is begun before either was there")
        assert not yard.ready()
        while_away = files()
        postgres.start()
        redis.start()
        until(yard.ready, 60, "the page is ready")
        until(lambda: while_away <= set(values(url, "select path from chunks")), 60, "every file has a row")
        begun = "select 1 from detections where time > '{}'".format(*values(url, "select max(time) from detections"))
        until(lambda: values(url, begun), 60, "horses are found again")
    finally:
        yard.stop()

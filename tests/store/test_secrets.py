"""Keys are for their owner alone, and what is closed opens only where it belongs."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from barnhand.core.errors import ConfigurationError
from barnhand.core.stream import SourceType, Status
from barnhand.core.time import FakeClock
from barnhand.store.addresses import split
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    box = SecretBox.open(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    (key,) = (tmp_path / "secrets").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert SecretBox.open(tmp_path / "secrets").reveal(box.close("word", "x"), "x") == "word"


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    SecretBox.open(tmp_path)
    next(tmp_path.iterdir()).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        SecretBox.open(tmp_path)


def test_a_key_that_was_cut_is_refused(tmp_path: Path) -> None:
    SecretBox.open(tmp_path)
    next(tmp_path.iterdir()).write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="bytes"):
        SecretBox.open(tmp_path)


def test_what_is_closed_opens_only_with_its_key_and_its_place() -> None:
    one, two = SecretBox(bytes(32)), SecretBox(b"\x01" * 32)
    closed = one.close("word", "stream 1")
    assert one.reveal(closed, "stream 1") == "word"
    for box, place, data in [
        (two, "stream 1", closed),
        (one, "stream 2", closed),
        (one, "stream 1", closed[:-1] + bytes([closed[-1] ^ 1])),
        (one, "stream 1", b""),
    ]:
        with pytest.raises(ConfigurationError):
            box.reveal(data, place)


def test_each_purpose_has_a_key_of_its_own() -> None:
    box = SecretBox(bytes(32))
    assert box.derive("session") != box.derive("credentials")


def test_a_cameras_password_is_nowhere_in_the_database_in_the_clear(store: Store, engine: Engine) -> None:
    record = store.streams.create(
        name="Gate",
        source_type=SourceType.RTSP,
        address=split(SourceType.RTSP, "rtsp://admin:hunter2@cam/1"),
        status=Status.ACTIVE,
    )
    with engine.begin() as connection:
        row = connection.execute(text("select streams::text from streams")).scalar_one()
    assert "hunter2" not in row
    assert "admin" not in row
    (stream,) = store.streams.wanted()
    assert (stream.id, stream.source_url, stream.secret) == (record.id, "rtsp://cam/1", "admin:hunter2")
    assert "hunter2" not in repr(stream)


def test_a_lost_key_stops_no_other_camera(store: Store, engine: Engine, clock: FakeClock) -> None:
    for url in ("rtsp://a:b@cam/1", "rtsp://cam/2"):
        store.streams.create(name=url, source_type=SourceType.RTSP, address=split(SourceType.RTSP, url), status=Status.ACTIVE)
    found = Store(engine, SecretBox(b"\x07" * 32), clock).streams.wanted()
    assert {stream.source_url: stream.secret for stream in found} == {"rtsp://cam/1": None, "rtsp://cam/2": None}


def test_a_removed_camera_is_wanted_no_more_and_its_password_forgotten(store: Store, engine: Engine) -> None:
    record = store.streams.create(
        name="Gate", source_type=SourceType.RTSP, address=split(SourceType.RTSP, "rtsp://a:b@cam/1"), status=Status.ACTIVE
    )
    store.streams.delete(record.id)
    assert store.streams.wanted() == []
    with engine.begin() as connection:
        assert connection.execute(text("select secret from streams")).scalar_one() is None

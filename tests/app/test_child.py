"""Worker processes: told over a pipe, watched, started again."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from barnhand.app.child import Child, backoff
from barnhand.app.fleet import instruction, share
from barnhand.app.folder import DataFolder, Lock
from barnhand.app.inbox import Inbox
from barnhand.core.errors import ConfigurationError
from barnhand.core.stream import SourceType, Stream
from barnhand.core.time import SystemClock


def until(condition: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def stream(name: str) -> Stream:
    return Stream(name, name, SourceType.FILE, "/clip.mp4")


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 0), (3, 0), (4, 2), (5, 4), (20, 30)])
def test_the_first_restarts_come_at_once(deaths: int, seconds: float) -> None:
    assert backoff(deaths) == seconds


def test_a_killed_child_is_started_again_and_told_again(tmp_path: Path) -> None:
    child = Child("echo", "echo", {"greeting": "hello"}, tmp_path, SystemClock())
    log = tmp_path / "echo.log"
    child.start()
    child.instruct({"say": "neigh"})
    until(lambda: log.exists() and log.read_text().count("neigh") == 1)
    first = child.pid
    assert first is not None
    os.kill(first, 9)
    until(lambda: child.watch() is None and child.pid not in {None, first})
    until(lambda: log.read_text().count("neigh") == 2)
    assert log.read_text().count("hello") == 2
    assert child.restarts == 1
    child.stop()
    assert child.pid is None


def test_a_child_whose_parent_is_gone_stops(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "barnhand.app.worker", "echo"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b'{"greeting": "hello"}\n')
    process.stdin.close()
    assert process.wait(10) == 0


def test_the_inbox_gives_what_was_sent_and_then_the_end() -> None:
    inbox = Inbox(io.BytesIO(b'{"a": 1}\n\n{"b": 2}\n'))
    assert inbox.next(1) == {"a": 1}
    assert inbox.next(1) == {"b": 2}
    assert inbox.stop.wait(1)
    assert inbox.next(0.01) is None


def test_streams_stay_with_their_worker() -> None:
    first = share([stream("a"), stream("b"), stream("c")], 2, {})
    assert sorted(first.values()) == [0, 0, 1]
    second = share([stream("b"), stream("c"), stream("d")], 2, first)
    assert {name: second[name] for name in "bc"} == {name: first[name] for name in "bc"}
    assert share([stream("a")], 1, {"a": 3}) == {"a": 0}


def test_an_instruction_carries_the_password_a_repr_does_not() -> None:
    secret = Stream("a", "a", SourceType.RTSP, "rtsp://camera/1", secret="groom:oats")
    assert instruction([secret])["streams"][0]["secret"] == "groom:oats"
    assert "oats" not in repr(secret)


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take() is None
    assert second.take() == os.getpid()
    first.give_back()
    assert second.take() is None


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="set BARNHAND_DATA"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    assert folder.secrets.stat().st_mode & 0o077 == 0

"""A port that another program has is told before anything starts."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from barnhand.app.ports import check_port
from barnhand.core.errors import ConfigurationError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_fine() -> None:
    check_port("127.0.0.1", 0, "the page", "do something")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"port 8000 of 192\.0\.2\.1, for the page, cannot be had \(cannot assign"):
        check_port("192.0.2.1", 8000, "the page", "do something")


def test_up_says_so_at_once_and_starts_nothing(tmp_path: Path, taken: int) -> None:
    environment = {**os.environ, "BARNHAND_DATA": str(tmp_path), "BARNHAND_PORT": str(taken)}
    done = subprocess.run(
        [sys.executable, "-m", "barnhand", "up"], env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 2
    assert f"port {taken} of 127.0.0.1" in " ".join(done.stderr.split())
    assert "set BARNHAND_PORT to another" in " ".join(done.stderr.split())
    assert not (tmp_path / "postgres").exists()

"""The outermost process hands every wish to stop on, and only a death it was not asked for is a reason to start again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import barnhand

OUTER = "import sys; from barnhand.app import guardian; sys.exit(guardian.guard([]))"
INNER = """
import os, signal, sys, time
from pathlib import Path
lives = Path(os.environ["LIVES"])
signal.signal(int(os.environ["WISH"]), lambda *_: sys.exit(7))
lives.write_text(lives.read_text() + f"{os.getpid()}\\n")
while True:
    time.sleep(0.05)
"""


def lives_of(path: Path, count: int, timeout_s: float = 20) -> list[int]:
    """Process ids of the guarded processes, once there were ``count``."""
    end = time.monotonic() + timeout_s
    while len(lives := path.read_text().split()) < count:
        assert time.monotonic() < end, f"{len(lives)} of {count} were started"
        time.sleep(0.05)
    return [int(life) for life in lives]


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_killed_it_is_started_again_and_a_wish_to_stop_is_handed_on(tmp_path: Path, wish: signal.Signals) -> None:
    package = tmp_path / "barnhand" / "__main__.py"
    package.parent.mkdir()
    (package.parent / "__init__.py").touch()
    package.write_text(INNER)
    lives = tmp_path / "lives"
    lives.touch()
    # The guardian is the real one; what it guards is found first in its working folder.
    real = str(Path(barnhand.__file__).parents[1])
    environment = {**os.environ, "LIVES": str(lives), "WISH": str(int(wish)), "REAL": real}
    code = f"import sys, os; sys.path.insert(0, os.environ['REAL']); {OUTER}"
    outer = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment, start_new_session=True)
    try:
        (first,) = lives_of(lives, 1)
        os.kill(first, signal.SIGKILL)
        lives_of(lives, 2)
        outer.send_signal(wish)
        assert outer.wait(20) == 7
    finally:
        outer.kill()
    assert len(lives_of(lives, 2)) == 2

"""The outermost process: starts the supervisor again if somebody kills it.

It does nothing else, so there is nothing in it to fail. Ctrl-C and a service manager's SIGTERM reach the supervisor, which
stops everything in order.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from barnhand.app.signals import ASK_TO_STOP

INSIDE = "BARNHAND_SUPERVISED"


def guarded() -> bool:
    """Whether this process already has a guardian."""
    return os.environ.get(INSIDE) == "1"


def guard(arguments: Sequence[str]) -> int:
    """Run ``barnhand ARGUMENTS`` and again whenever a signal kills it. Returns its exit code once it ends by itself."""
    asked_to_stop = False
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True
        # A terminal's Ctrl-C reaches the supervisor too, ``kill -INT`` and service managers only this process; twice is once.
        if child is not None:
            child.send_signal(number)

    for number in ASK_TO_STOP:
        signal.signal(number, forward)
    environment = {**os.environ, INSIDE: "1"}
    while True:
        child = subprocess.Popen([sys.executable, "-m", "barnhand", *arguments], env=environment)
        code = child.wait()
        if code >= 0 or asked_to_stop:
            return max(code, 0)

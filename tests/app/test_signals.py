"""A signal that comes while the main thread waits for it."""

import subprocess
import sys

PROGRAM = """
import os, signal, threading
from barnhand.app.signals import ASK_TO_STOP, stop_on

stop = threading.Event()
stop_on(ASK_TO_STOP, stop)
for number in ASK_TO_STOP:
    stop.clear()
    with stop._cond:  # where ``stop.wait()`` is for a moment each time it begins and ends
        os.kill(os.getpid(), number)
    assert stop.wait(10), number
print("stopped")
"""


def test_a_signal_in_the_middle_of_a_wait_does_not_wait_for_itself() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("stopped\n", 0), done.stderr

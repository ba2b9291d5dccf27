"""Signals that ask a process to stop."""

import _thread
import signal
import threading
from collections.abc import Iterable
from types import FrameType

ASK_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that was closed."""


def stop_on(numbers: Iterable[signal.Signals], stop: threading.Event) -> None:
    """Have each of these signals set ``stop``; to be called from the main thread."""

    # A handler runs between two instructions of the main thread. If those are inside ``stop.wait()``, which holds the event's
    # lock for a moment, setting it there would wait for itself for ever; a second Ctrl-C comes at just that moment. Another
    # thread may wait. ``threading.Thread`` takes locks of its own that the main thread may hold, this does not.
    def handle(_number: int, _frame: FrameType | None) -> None:
        _thread.start_new_thread(stop.set, ())

    for number in numbers:
        signal.signal(number, handle)

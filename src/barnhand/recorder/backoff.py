"""How long to wait before a camera is tried again."""

import random

from barnhand.core.stream import Cause

#: Seconds at most, by cause: a lost camera must be found within 3 s of its return, a wrong password must not lock us out.
_LONGEST = {
    Cause.WRONG_PASSWORD: 60.0,
    Cause.NOT_FOUND: 15.0,
    Cause.NOT_VIDEO: 15.0,
    Cause.UNSUPPORTED_CODEC: 30.0,
}


class Backoff:
    """The first retry is at once, then 0.5 s doubling up to 2 s, or longer where trying does no good; with jitter."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._failures = 0

    def delay(self, cause: Cause) -> float:
        """Seconds to wait after a failure."""
        self._failures += 1
        if self._failures == 1:
            return 0.0
        longest = _LONGEST.get(cause, 2.0)
        return min(0.5 * 2.0 ** min(self._failures - 2, 10), longest) * self._chance.uniform(0.7, 1.0)

    def succeeded(self) -> None:
        """The camera delivered long enough to start over."""
        self._failures = 0

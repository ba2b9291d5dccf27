"""Which pictures of a stream are due at a rate."""


class Pace:
    """Picks pictures a period apart, by their own times."""

    def __init__(self) -> None:
        self._due_us: int | None = None

    def due(self, wall_us: int, period_us: int) -> bool:
        """Whether a picture is due. Asking moves time on only when it is, so a picture left out is followed by the next."""
        if self._due_us is None or self._due_us - wall_us > 10 * period_us:  # the start, or the clock went back
            self._due_us = wall_us
        return wall_us >= self._due_us

    def took(self, wall_us: int, period_us: int) -> None:
        """A picture was taken. Late ones do not shift the rhythm, and missed ones are not made up for in a burst."""
        due_us = wall_us if self._due_us is None else self._due_us
        self._due_us = max(due_us + period_us, wall_us + period_us // 2)

"""How many pictures a second a machine can bear: slower under load, faster when there is time."""

BUSY = 0.9
"""Share of the time at work above which the rate goes down …"""
EASY = 0.7
"""… and below which it goes up again."""
PERIOD_S = 1.0


class RateKeeper:
    """One process's rate of analysis, the same for each of its cameras. Time is monotonic seconds."""

    def __init__(self, target: float, least: float) -> None:
        self.target = target
        self.fps = target
        self.load = 0.0
        self._least = least
        self._began: float | None = None
        self._busy = 0.0
        self._dropped = 0

    @property
    def period_us(self) -> int:
        """Time between two pictures analysed of a camera."""
        return round(1_000_000 / self.fps)

    def worked(self, seconds: float) -> None:
        """So long was spent on live pictures."""
        self._busy += seconds

    def dropped(self) -> None:
        """A picture that was due was passed over because a newer one was there."""
        self._dropped += 1

    def tick(self, now: float) -> bool:
        """Once a second, think the rate over; true when it changed."""
        if self._began is None:
            self._began = now
        elapsed = now - self._began
        if elapsed < PERIOD_S:
            return False
        self.load = self._busy / elapsed
        before = self.fps
        if self._dropped or self.load > BUSY:
            self.fps = max(self._least, self.fps * 0.8)
        elif self.load < EASY:
            self.fps = min(self.target, self.fps * 1.1)
        self._began, self._busy, self._dropped = now, 0.0, 0
        return self.fps != before

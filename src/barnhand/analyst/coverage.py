"""Which stretches of a stream were analysed: spans of pictures no further apart than a step."""

from collections.abc import Sequence

from barnhand.core.time import SECOND_US

KEPT_US = 6 * 3600 * SECOND_US


class Coverage:
    """The analysed spans of one stream, wall time in µs; the last six hours of them."""

    def __init__(self, joined_s: float, spans: Sequence[Sequence[int]] = ()) -> None:
        self._joined_us = round(joined_s * SECOND_US)
        self._spans = [(int(start), int(end)) for start, end in spans]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """``(start, end)`` of each span, oldest first."""
        return list(self._spans)

    def add(self, wall_us: int) -> None:
        """A picture was analysed; pictures come in order."""
        if self._spans and -SECOND_US < wall_us - self._spans[-1][1] <= self._joined_us:
            start, end = self._spans[-1]
            self._spans[-1] = (start, max(end, wall_us))
        else:
            self._spans.append((wall_us, wall_us))
        while self._spans[-1][1] - self._spans[0][1] > KEPT_US:
            del self._spans[0]

    def has(self, wall_us: int) -> bool:
        """Whether a picture taken then lies in an analysed span."""
        return any(start <= wall_us <= end for start, end in self._spans)

    def covers(self, start_us: int, end_us: int) -> bool:
        """Whether a stretch was analysed but for at most a step at either end."""
        return any(
            start - start_us <= self._joined_us and end_us - end <= self._joined_us and end >= start_us and start <= end_us
            for start, end in self._spans
        )

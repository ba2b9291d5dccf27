"""How soon a camera is tried again."""

import random

import pytest

from barnhand.core.stream import Cause
from barnhand.recorder.backoff import Backoff


@pytest.mark.parametrize(
    ("cause", "longest"),
    [(Cause.UNREACHABLE, 2.0), (Cause.STALLED, 2.0), (Cause.NOT_FOUND, 15.0), (Cause.WRONG_PASSWORD, 60.0)],
)
def test_at_once_then_longer_up_to_a_limit(cause: Cause, longest: float) -> None:
    backoff = Backoff(random.Random(1))
    delays = [backoff.delay(cause) for _ in range(40)]
    assert delays[0] == 0
    assert 0 < delays[1] <= 0.5
    assert all(longest * 0.7 <= delay <= longest for delay in delays[9:])
    backoff.succeeded()
    assert backoff.delay(cause) == 0


def test_cameras_do_not_come_back_in_step() -> None:
    backoffs = [Backoff(random.Random(seed)) for seed in range(20)]
    for backoff in backoffs:
        backoff.delay(Cause.UNREACHABLE)
    assert len({backoff.delay(Cause.UNREACHABLE) for backoff in backoffs}) == 20

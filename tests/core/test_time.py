"""Integer time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barnhand.core.time import FakeClock, datetime_of_wall, iso, pts_of_wall, wall_of_datetime, wall_of_pts

walls = st.integers(0, 4_000_000_000_000_000)


@given(walls)
def test_media_time_names_the_moment_to_a_tick(wall_us: int) -> None:
    assert 0 <= wall_us - wall_of_pts(pts_of_wall(wall_us)) <= 12


@given(walls)
def test_a_datetime_keeps_the_microsecond(wall_us: int) -> None:
    assert wall_of_datetime(datetime_of_wall(wall_us)) == wall_us


def test_zones_and_words() -> None:
    assert iso(1_800_000_000_000_006) == "2027-01-15T08:00:00.000006Z"
    assert wall_of_datetime(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0
    assert wall_of_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    with pytest.raises(ValueError, match="needs a zone"):
        wall_of_datetime(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_jump_moves_the_wall_alone() -> None:
    clock = FakeClock(0)
    clock.sleep(2)
    clock.jump(-10)
    assert (clock.wall_us(), clock.monotonic()) == (-8_000_000, 2.0)

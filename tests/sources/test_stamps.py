"""Timestamps that a camera leaves out."""

import itertools

import pytest

from barnhand.core.media import Packet
from barnhand.sources.stamps import Reorder, Stamper

FRAME = 3600


def packet(pts: int = 0) -> Packet:
    return Packet(True, pts, 0, FRAME, False, b"", 0)


ORDERS = {
    "in order": [0, 1, 2, 3, 4, 5, 6, 7],
    "one B-frame": [0, 2, 1, 4, 3, 6, 5, 7],
    "two B-frames": [0, 3, 1, 2, 6, 4, 5, 7],
    "a pyramid": [0, 4, 2, 1, 3, 8, 6, 5, 7],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_decoding_times_rise_and_are_never_late(order: list[int]) -> None:
    reorder = Reorder(order != sorted(order))
    out = [reorder.stamp(packet((group * len(order) + n) * FRAME)) for group in range(20) for n in order]
    assert all(a.dts < b.dts for a, b in itertools.pairwise(out))
    assert all(p.dts <= p.pts for p in out)
    assert [p.pts for p in out] == [(g * len(order) + n) * FRAME for g in range(20) for n in order]


def test_a_camera_in_order_has_no_delay() -> None:
    reorder = Reorder(False)
    assert [reorder.stamp(packet(n * FRAME)).dts for n in range(5)] == [n * FRAME for n in range(5)]


def test_timestamps_that_start_over_start_decoding_times_over() -> None:
    reorder = Reorder(True)
    before = [reorder.stamp(packet(10**9 + n * FRAME)) for n in ORDERS["a pyramid"]]
    after = [reorder.stamp(packet(n * FRAME)) for n in ORDERS["a pyramid"]]
    assert all(p.dts <= p.pts for p in before + after)
    assert max(p.dts for p in after) < min(p.dts for p in before)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([(None, None), (3600, 3600), (7200, 7200)], [(0, 0), (3600, 3600), (7200, 7200)]),
        ([(None, None), (10800, None), (3600, None), (7200, 3600)], [(0, -7200), (10800, -3600), (3600, 0), (7200, 3600)]),
        ([(5, 5), (None, None)], [(5, 5), (3605, 3605)]),
        ([(5, 9)], [(5, 5)]),
    ],
    ids=["first missing", "B-frames", "later missing", "dts after pts"],
)
def test_missing_stamps_are_filled_in(given: list[tuple[int | None, int | None]], expected: list[tuple[int, int]]) -> None:
    stamper = Stamper()
    out = [ready for pts, dts in given for ready in stamper.push(packet(), pts, dts)] + stamper.flush()
    assert [(p.pts, p.dts) for p in out] == expected

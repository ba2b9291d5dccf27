"""Heat maps to points. The trainers' slow decoding is the reference; the run time's is tested against it."""

import numpy as np
import pytest

from barnhand.core.errors import ModelError
from barnhand.core.skeleton import load_skeleton
from barnhand.networks.poses.barnhand import leg_pairs
from barnhand.networks.poses.legs import Decoding, decode

PAIRS = leg_pairs(load_skeleton("horse-20"))


def bump(heat: np.ndarray, x: float, y: float, peak: float, sigma: float = 1.5) -> None:
    """Add a Gaussian in place to one ``(h, w)`` map."""
    ys, xs = np.mgrid[: heat.shape[0], : heat.shape[1]]
    heat += peak * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * sigma**2))


def horse_like(seed: int, n: int = 3) -> np.ndarray:
    """Maps with one to three bumps a channel, legs often sharing them, and a little noise."""
    rng = np.random.default_rng(seed)
    heat = rng.uniform(0, 0.01, (n, 20, 64, 64))
    for i in range(n):
        for k in range(20):
            for _ in range(rng.integers(1, 4)):
                bump(heat[i, k], *rng.uniform(0, 63, 2), rng.uniform(0.05, 0.9))
        for left, right in PAIRS:
            for _ in range(2):
                x, y = rng.uniform(0, 63, 2)
                bump(heat[i, left], x, y, rng.uniform(0.3, 0.6))
                bump(heat[i, right], x, y, rng.uniform(0.3, 0.6))
    return (heat / heat.sum(axis=(2, 3), keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_it_decodes_as_the_trainers_do(seed: int) -> None:
    reference = pytest.importorskip("training.pose.decode")
    heat = horse_like(seed)
    points, peaks = decode(heat, PAIRS, Decoding.parse(reference.NAME))
    expected, expected_peaks = reference.decode(heat)
    np.testing.assert_allclose(points, expected, atol=1e-3)
    np.testing.assert_allclose(peaks, expected_peaks, atol=1e-6)


@pytest.mark.parametrize(("x", "y"), [(10, 20), (10.4, 20.3), (0, 0), (63, 63), (63, 0), (31.5, 5)])
def test_a_bump_is_found_between_cells(x: float, y: float) -> None:
    heat = np.zeros((1, 1, 64, 64), np.float32)
    bump(heat[0, 0], x, y, 0.8)
    points, peaks = decode(heat, [], Decoding())
    # At the border half of the bump is missing, so its centre of mass is inside.
    slack = 4.0 if {x, y} & {0, 63} else 0.4
    np.testing.assert_allclose(points[0, 0], [(x + 0.5) * 4 - 0.5, (y + 0.5) * 4 - 0.5], atol=slack)
    assert peaks[0, 0] == pytest.approx(heat.max())


def test_left_and_right_do_not_share_a_leg() -> None:
    heat = np.zeros((1, 2, 64, 64), np.float32)
    for side, (near, far) in enumerate([(0.60, 0.50), (0.58, 0.40)]):
        bump(heat[0, side], 20, 40, near)
        bump(heat[0, side], 40, 40, far)
    alone, _ = decode(heat, [(0, 1)], Decoding(penalty=0))
    together, _ = decode(heat, [(0, 1)], Decoding())
    assert abs(alone[0, 0, 0] - alone[0, 1, 0]) < 2, "each channel alone takes the same leg"
    # 0.50 × 0.58 is more than 0.60 × 0.40: the left moves over.
    np.testing.assert_allclose(together[0, :, 0], [(40 + 0.5) * 4 - 0.5, (20 + 0.5) * 4 - 0.5], atol=1)


def test_legs_that_are_one_behind_the_other_stay_so() -> None:
    heat = np.zeros((1, 2, 64, 64), np.float32)
    for side in range(2):
        bump(heat[0, side], 20, 40, 0.9)
        bump(heat[0, side], 40, 40, 0.05)
    points, _ = decode(heat, [(0, 1)], Decoding())
    np.testing.assert_allclose(points[0, 0], points[0, 1], atol=1)


@pytest.mark.parametrize("value", [0.0, 1e-6])
def test_a_map_without_anything_gives_a_point_without_a_score(value: float) -> None:
    points, peaks = decode(np.full((2, 20, 64, 64), value, np.float32), PAIRS, Decoding())
    assert np.isfinite(points).all()
    np.testing.assert_allclose(peaks, value)


def test_how_to_decode_is_read_from_the_file() -> None:
    text = "pair-peak candidates=6 penalty=0.5 near=3.0 reach=1 power=1.0 stride=4"
    assert Decoding.parse(text) == Decoding(candidates=6, penalty=0.5, near=3.0, reach=1, power=1.0, stride=4)
    assert Decoding.parse("") == Decoding()


@pytest.mark.parametrize("text", ["argmax", "pair-peak colour=3", "pair-peak near=far"])
def test_another_way_to_decode_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        Decoding.parse(text)

"""Decoding of heatmaps: sub-pixel places, and two legs that share their peaks."""

import numpy as np
import pytest

pytest.importorskip("torch")

from training.pose.decode import calibrated, decode
from training.pose.metrics import fit_logistic, pck, relative_errors, reliability
from training.pose.skeleton import COUNT, LEG_PAIRS, POINTS


def gaussian(x: float, y: float, height: float = 0.9, sigma: float = 2.0) -> np.ndarray:
    """(64, 64) with a peak at input pixel (x, y)."""
    centre = ((np.array([x, y]) + 0.5) / 4) - 0.5
    yy, xx = np.mgrid[:64, :64]
    return (height * np.exp(-((xx - centre[0]) ** 2 + (yy - centre[1]) ** 2) / (2 * sigma**2))).astype(np.float32)


@pytest.mark.parametrize("shift", [0.0, 0.7, 1.5, 2.2, 3.1, 3.9])
def test_places_between_cells_are_recovered(shift: float) -> None:
    true = np.stack([60 + 7.3 * np.arange(COUNT) % 120 + shift, 50 + 11.9 * np.arange(COUNT) % 130 + shift / 2], 1)
    heat = np.stack([gaussian(x, y) for x, y in true])[None]
    points, peaks = decode(heat, penalty=0.0)
    assert np.abs(points[0] - true).max() < 0.6
    assert (peaks > 0.8).all()


def test_a_peak_at_the_border_stays_inside() -> None:
    heat = np.stack([gaussian(1.0, 254.0)] * COUNT)[None]
    points, _ = decode(heat)
    assert ((points >= 0) & (points <= 255)).all()


@pytest.mark.parametrize("pair", LEG_PAIRS)
def test_two_legs_with_the_same_two_peaks_get_one_each(pair: tuple[int, int]) -> None:
    """Both channels prefer the first leg, the right one slightly less; singly both would take it."""
    left, right = pair
    heat = np.stack([gaussian(30, 30)] * COUNT)[None]
    heat[0, left] = np.maximum(gaussian(80, 200, 0.5), gaussian(150, 200, 0.40))
    heat[0, right] = np.maximum(gaussian(80, 200, 0.48), gaussian(150, 200, 0.44))
    singly, _ = decode(heat, penalty=0.0)
    together, _ = decode(heat)
    assert singly[0, left, 0] == pytest.approx(80, abs=1)
    assert singly[0, right, 0] == pytest.approx(80, abs=1)
    assert together[0, left, 0] == pytest.approx(80, abs=1)
    assert together[0, right, 0] == pytest.approx(150, abs=1)


def test_two_legs_that_do_cross_may_share_a_place() -> None:
    left, right = LEG_PAIRS[-1]
    heat = np.stack([gaussian(30, 30)] * COUNT)[None]
    heat[0, [left, right]] = np.maximum(gaussian(80, 200, 0.9), gaussian(150, 200, 0.02))
    points, _ = decode(heat)
    np.testing.assert_allclose(points[0, [left, right], 0], 80, atol=1)


def test_an_empty_heatmap_decodes_to_a_low_score() -> None:
    calibration = (np.ones(COUNT, np.float32), np.zeros(COUNT, np.float32))
    points, scores = decode(np.zeros((1, COUNT, 64, 64), np.float32), calibration)
    assert np.isfinite(points).all()
    assert (scores < 0.001).all()


def test_the_logistic_curve_is_found_again() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, 20_000).astype(np.float32)
    y = rng.random(len(x)) < 1 / (1 + np.exp(-(0.7 * x - 0.5)))
    a, b = fit_logistic(x, y)
    assert a == pytest.approx(0.7, abs=0.05)
    assert b == pytest.approx(-0.5, abs=0.05)
    peaks = (1 / (1 + np.exp(-x)))[:, None].repeat(COUNT, 1).astype(np.float32)
    scores = calibrated(peaks, np.full(COUNT, a, np.float32), np.full(COUNT, b, np.float32))
    assert reliability(scores[:, 0], y)["ece"] < 0.02


def test_pck_counts_labelled_points_only() -> None:
    true = np.zeros((1, COUNT, 2), np.float32)
    found = true.copy()
    found[0, POINTS.index("nose")] = (30, 0)
    found[0, POINTS.index("withers")] = (500, 0)
    labelled = np.ones((1, COUNT), bool)
    labelled[0, POINTS.index("withers")] = False
    errors = relative_errors(found, true, np.array([200.0], np.float32))
    assert pck(errors, labelled, 0.1) == pytest.approx(18 / 19)
    assert pck(errors, labelled, 0.2) == 1.0

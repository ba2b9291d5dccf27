"""Augmentation keeps the points on what they mark."""

import numpy as np
import pytest

pytest.importorskip("torch")

from training.common.crop import compose, invert, move_points, square_around, square_crop
from training.pose.augment import AugmentOptions, augmented, plain, random_affine, warp
from training.pose.data import CACHE_SCALE, CACHE_SIZE
from training.pose.skeleton import COUNT, MIRROR, PAIRS, POINTS

STILL = AugmentOptions(grey=0, lamp=0, noise=0, blur=0, small=0, jpeg=0, cover=0)


def dotted(places: np.ndarray) -> np.ndarray:
    """A black crop with a white disc of radius 6 on each place."""
    yy, xx = np.mgrid[:CACHE_SIZE, :CACHE_SIZE]
    crop = np.zeros((CACHE_SIZE, CACHE_SIZE, 3), np.uint8)
    for x, y in places:
        crop[(xx - x) ** 2 + (yy - y) ** 2 <= 36] = 255
    return crop


def spread_points() -> np.ndarray:
    rng = np.random.default_rng(3)
    points = np.zeros((COUNT, 3), np.float32)
    points[:, :2] = rng.uniform(110, 270, (COUNT, 2))
    points[:, 2] = 2
    return points


BOX = np.array([CACHE_SIZE / CACHE_SCALE, 150.0], np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_a_point_stays_on_its_dot(seed: int) -> None:
    """Whatever the map, the disc painted at one point is found again at that point's new place."""
    points = spread_points()
    points[1:, 2] = 0
    sample = augmented(dotted(points[:1, :2]), points, BOX, 256, STILL, np.random.default_rng(seed))
    here = [k for k in (0, MIRROR[0]) if sample.state[k] == 2]
    if not here:
        assert sample.outside[[0, MIRROR[0]]].any()
        return
    ys, xs = np.nonzero(sample.image[..., 0].astype(int) > sample.image[..., 0].min() + 40)
    bright = sample.image[ys, xs, 0].astype(float)
    assert bright.size > 0
    x, y = sample.points[here[0]]
    reach = np.hypot(xs - x, ys - y)
    assert reach.min() < 2
    assert sample.image[round(float(y)) % 256, round(float(x)) % 256, 0] > bright.mean() - 60


def test_mirroring_swaps_left_and_right() -> None:
    points = spread_points()
    crop = dotted(points[:, :2])
    affine = random_affine(points, BOX, 256, STILL, np.random.default_rng(0))
    _, straight, _, _ = warp(crop, points, affine, 256, mirror=False)
    _, mirrored, _, _ = warp(crop, points, affine, 256, mirror=True)
    for left, right in PAIRS:
        np.testing.assert_allclose(mirrored[left], [255 - straight[right, 0], straight[right, 1]], atol=1e-3)
    for middle in ("nose", "throat", "withers", "tail_base"):
        k = POINTS.index(middle)
        np.testing.assert_allclose(mirrored[k], [255 - straight[k, 0], straight[k, 1]], atol=1e-3)


def test_mirroring_twice_is_nothing() -> None:
    assert [MIRROR[k] for k in MIRROR] == list(range(COUNT))


def test_points_outside_the_picture_are_not_supervised_but_known_to_be_outside() -> None:
    points = spread_points()
    points[0, :2] = (5, 5)
    sample = plain(dotted(points[:, :2]), points, 256, STILL)
    assert sample.state[0] == 0
    assert sample.outside[0]
    assert not sample.outside[1:].any()


def test_an_affine_map_and_its_inverse_cancel() -> None:
    points = spread_points()
    affine = random_affine(points, BOX, 256, AugmentOptions(any_turn=1.0), np.random.default_rng(1))
    there_and_back = compose(affine, invert(affine))
    np.testing.assert_allclose(move_points(there_and_back, points[:, :2]), points[:, :2], atol=1e-6)


@pytest.mark.parametrize(
    ("box", "size"),
    [((40.0, 30.0, 100.0, 60.0), 256), ((-20.0, 10.0, 300.0, 200.0), 256), ((3.5, 7.25, 31.0, 50.0), 64)],
)
def test_a_square_crop_shows_the_box_where_its_map_says(box: tuple[float, float, float, float], size: int) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[100:104, 60:64] = 255
    crop, affine = square_crop(image, *square_around(box, 1.25), size)
    target = move_points(affine, np.array([[61.5, 101.5]]))[0]
    inside = (target > 3).all() and (target < size - 4).all()
    ys, xs = np.nonzero((crop[..., 0] > 150) & (crop[..., 1] > 150))
    if inside:
        np.testing.assert_allclose([xs.mean(), ys.mean()], target, atol=0.75 * max(1.0, affine[0, 0]))

"""Boxes stay on what they mark, whatever happens to the picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from training.detect.augment import Scene, bars, clip, closeness, infrared, light, paste, place, placement, transform, turned
from training.detect.compose import Batches, Composer, Mix, collate
from training.detect.cover import cover, rest, surface
from training.detect.data import Library, Picture
from training.detect.network import CLASSES, HORSE

WHITE = np.array([[60, 40, 120, 90]], np.float32)


def card(width: int = 200, height: int = 150) -> np.ndarray:
    """A grey card with a white rectangle at `WHITE`."""
    pixels = np.full((height, width, 3), 60, np.uint8)
    x1, y1, x2, y2 = WHITE[0].astype(int)
    pixels[y1:y2, x1:x2] = 255
    return pixels


def picture(path: Path, kind: str = "horse", label: str = "horse") -> Picture:
    cv2.imwrite(str(path), card())
    return Picture(path, kind, WHITE, np.array([CLASSES.index(label)]), np.zeros((0, 4), np.float32))


def white_box(pixels: np.ndarray) -> np.ndarray:
    """Where the white rectangle lies, from the pixels alone."""
    rows, columns = np.nonzero(pixels[..., 0] > 158)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)


@pytest.mark.parametrize("seed", range(12))
def test_a_placed_box_lies_on_the_pixels_it_marks(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    subject = picture(tmp_path / "card.png")
    scene = Scene.blank(256, (60, 60, 60))
    matrix = placement(subject, card(), 256, 256, float(rng.uniform(0.4, 2.0)), rng)
    place(scene, subject, card(), matrix, (0, 0, 256, 256))
    if not len(scene.boxes):
        pytest.skip("this seed put the rectangle out of view")
    np.testing.assert_allclose(white_box(scene.pixels), scene.boxes[0], atol=1.5)


@pytest.mark.parametrize("seed", range(8))
def test_a_close_view_is_filled_by_the_horse_along_its_longer_side(tmp_path: Path, seed: int) -> None:
    subject = picture(tmp_path / "card.png")
    scene = Scene.blank(128, (60, 60, 60))
    place(scene, subject, card(), closeness(subject, 128, np.random.default_rng(seed)), (0, 0, 128, 128))
    np.testing.assert_allclose(scene.boxes[0, [0, 2]], [0, 128], atol=0.5)
    np.testing.assert_allclose(white_box(scene.pixels), scene.boxes[0], atol=1.5)


@pytest.mark.parametrize(
    ("hiding", "expected"),
    [
        ((0, 70, 200, 150), [60, 40, 120, 70]),
        ((0, 0, 200, 60), [60, 60, 120, 90]),
        ((0, 0, 80, 150), [80, 40, 120, 90]),
        ((100, 30, 200, 150), [60, 40, 100, 90]),
        ((100, 70, 200, 150), [60, 40, 120, 90]),
        ((0, 100, 200, 150), [60, 40, 120, 90]),
        ((0, 50, 200, 150), None),
        ((61, 41, 119, 150), None),
    ],
    ids=["legs", "head", "left", "right", "a corner", "beside it", "nearly all", "all but a rim"],
)
def test_the_box_behind_a_cover_is_what_can_be_seen(hiding: tuple[int, int, int, int], expected: list[float] | None) -> None:
    left = rest(WHITE[0], hiding)
    assert (left is None) == (expected is None)
    if left is not None:
        np.testing.assert_allclose(left, expected)


@pytest.mark.parametrize("seed", range(8))
def test_a_cover_hides_a_part_of_an_animal_and_its_box_ends_there(tmp_path: Path, seed: int) -> None:
    subject = picture(tmp_path / "card.png")
    scene = Scene.blank(256)
    matrix = np.array([[1, 0, 30], [0, 1, 30]], np.float32)
    place(scene, subject, card(), matrix, (0, 0, 256, 256))
    before, whole = scene.pixels.copy(), scene.boxes[0].copy()
    cover(scene, np.random.default_rng(seed))
    changed = (scene.pixels != before).any(-1)
    assert changed.any()
    assert np.prod(scene.boxes[0, 2:] - scene.boxes[0, :2]) < 0.85 * np.prod(whole[2:] - whole[:2])
    x1, y1, x2, y2 = scene.boxes[0].astype(int)
    assert not changed[y1:y2, x1:x2].any()


def test_nothing_is_covered_where_there_is_no_animal() -> None:
    scene = Scene.blank(64)
    cover(scene, np.random.default_rng(0))
    assert (scene.pixels == 114).all()


def test_a_surface_has_the_size_asked_for() -> None:
    assert surface(31, 7, np.random.default_rng(1)).shape == (7, 31, 3)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 0, 0], [0, 1, 0]], [60, 40, 120, 90]),
        ([[2, 0, 5], [0, 0.5, -10]], [125, 10, 245, 35]),
        ([[-1, 0, 200], [0, 1, 0]], [80, 40, 140, 90]),
    ],
    ids=["as it is", "scaled and shifted", "mirrored"],
)
def test_transform(matrix: list[list[float]], expected: list[float]) -> None:
    np.testing.assert_allclose(transform(WHITE, np.array(matrix, np.float32))[0], expected)


def test_clip_tells_how_much_of_a_box_is_left() -> None:
    cut, share = clip(WHITE, (90, 0, 200, 200))
    np.testing.assert_allclose(cut[0], [90, 40, 120, 90])
    assert share[0] == pytest.approx(0.5)


def test_what_is_nearly_out_of_view_is_ignored_not_taught(tmp_path: Path) -> None:
    scene = Scene.blank(100)
    place(scene, picture(tmp_path / "card.png"), card(), np.array([[1, 0, -110], [0, 1, 0]], np.float32), (0, 0, 100, 100))
    assert len(scene.boxes) == 0
    assert len(scene.ignore) == 1


@pytest.mark.parametrize(("degrees", "shape"), [(90, (60, 20)), (180, (20, 60)), (45, (56, 56))])
def test_a_turned_cut_out_fills_its_canvas(degrees: float, shape: tuple[int, int]) -> None:
    pixels, mask = turned(np.full((20, 60, 3), 200, np.uint8), np.full((20, 60), 255, np.uint8), degrees)
    assert pixels.shape[:2] == mask.shape
    np.testing.assert_allclose(mask.shape, shape, atol=2)
    seen = mask > 127
    assert seen.any(0).all()
    assert seen.any(1).all()
    assert int(seen.sum()) == pytest.approx(1200, rel=0.06)


@pytest.mark.parametrize(
    ("width", "labels", "ignored"), [(30, 2, 0), (56, 1, 1), (80, 1, 0)], ids=["part hidden", "half hidden", "gone"]
)
def test_a_pasted_horse_hides_what_is_behind_it(width: int, labels: int, ignored: int) -> None:
    scene = Scene.blank(200)
    scene.boxes, scene.labels = np.array([[50, 50, 150, 150]], np.float32), np.array([HORSE])
    cutout = np.full((120, width, 3), 200, np.uint8)
    assert paste(scene, cutout, np.full((120, width), 255, np.uint8), (50, 40))
    assert (len(scene.boxes), len(scene.ignore)) == (labels, ignored)
    np.testing.assert_allclose(scene.boxes[-1], [50, 40, 50 + width, 160])


def test_a_pasted_horse_out_of_view_changes_nothing() -> None:
    scene = Scene.blank(200)
    assert not paste(scene, np.zeros((50, 50, 3), np.uint8), np.full((50, 50), 255, np.uint8), (195, 195))
    assert len(scene.boxes) == 0
    assert (scene.pixels == 114).all()


@pytest.mark.parametrize("seed", range(6))
def test_light_keeps_shape_and_kind(seed: int) -> None:
    out = light(card(), np.random.default_rng(seed))
    assert out.shape == (150, 200, 3)
    assert out.dtype == np.uint8


def test_infrared_has_no_colour() -> None:
    colourful = np.random.default_rng(0).uniform(0, 255, (40, 40, 3)).astype(np.float32)
    night = infrared(colourful, np.random.default_rng(1))
    assert (night == night[..., :1]).all()


def test_bars_are_drawn_in_place() -> None:
    pixels = np.full((100, 100, 3), 114, np.uint8)
    bars(pixels, np.random.default_rng(3))
    assert (pixels != 114).any()


def library(folder: Path) -> Library:
    kinds = {"horse": "horse", "arena": "horse", "livestock": "cow", "pet": "dog"}
    return Library({kind: [picture(folder / f"{kind}.png", kind, label)] for kind, label in kinds.items()})


def test_a_sample_depends_on_its_number_alone(tmp_path: Path) -> None:
    composer = Composer(library(tmp_path), Mix(), seed=3)
    first, again, other = composer.sample(8, 96), composer.sample(8, 96), composer.sample(9, 96)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.pixels, other.pixels)


def test_half_of_what_is_picked_holds_no_horse(tmp_path: Path) -> None:
    composer = Composer(library(tmp_path), Mix(), seed=3)
    rng = np.random.default_rng(0)
    kinds = [composer.pick(rng).kind for _ in range(400)]
    assert 0.42 < sum(kind in {"livestock", "pet"} for kind in kinds) / len(kinds) < 0.58


def test_a_batch_pads_boxes_and_says_which_are_real(tmp_path: Path) -> None:
    one, none = Scene.blank(64), Scene.blank(64)
    one.boxes, one.labels = np.array([[1, 2, 30, 40]], np.float32), np.array([2])
    batch = collate([one, none])
    assert batch.known.tolist() == [[True], [False]]
    assert batch.boxes[0, 0].tolist() == [1, 2, 30, 40]
    assert batch.pixels.shape == (2, 3, 64, 64)
    assert not batch.ignored.any()


def test_every_batch_has_one_of_the_sizes(tmp_path: Path) -> None:
    batches = Batches(Composer(library(tmp_path), Mix(sizes=(64, 96)), seed=3), batch=2)
    assert {batches[i].pixels.shape[-1] for i in range(6)} == {64, 96}

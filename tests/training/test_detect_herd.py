"""Each horse of a herd has the box of what is seen of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from training.detect.compose import Composer, Mix
from training.detect.data import Library, Picture
from training.detect.herd import Herd, cutout, ground, herd
from training.detect.network import CLASSES, HORSE

ALL = np.full((40, 60), 255, np.uint8)


def plain(value: int) -> np.ndarray:
    return np.full((40, 60, 3), value, np.uint8)


def field(size: int = 200) -> np.ndarray:
    return np.full((size, size, 3), 128, np.uint8)


def silhouette(folder: Path, name: str, value: int) -> Picture:
    """A picture of 120 × 90 with a shape of 60 × 40 in it, and its mask in a file of another size."""
    pixels, mask = np.full((90, 120, 3), 200, np.uint8), np.zeros((90, 120), np.uint8)
    pixels[30:70, 20:80], mask[30:70, 20:80] = value, 255
    cv2.imwrite(str(folder / f"{name}.png"), pixels)
    cv2.imwrite(str(folder / f"{name}-mask.png"), cv2.resize(mask, (240, 180), interpolation=cv2.INTER_NEAREST))
    box = np.array([[20, 30, 80, 70]], np.float32)
    none = np.zeros((0, 4), np.float32)
    return Picture(folder / f"{name}.png", "silhouette", box, np.array([HORSE]), none, folder / f"{name}-mask.png")


def test_the_box_is_that_of_what_is_seen() -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, (50, 60))
    made.draw(plain(240), ALL, (80, 60))
    scene = made.scene()
    assert scene.boxes.tolist() == [[50, 60, 80, 100], [80, 60, 140, 100]]
    assert scene.labels.tolist() == [HORSE, HORSE]
    assert not len(scene.ignore)


def test_what_sticks_out_on_both_sides_counts() -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, (50, 60))
    made.draw(plain(240)[:, :20], ALL[:, :20], (70, 50))
    assert made.scene().boxes[0].tolist() == [50, 60, 110, 100]


def test_of_which_hardly_anything_is_seen_counts_neither_way() -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, (50, 60))
    made.draw(plain(240), ALL, (56, 60))
    scene = made.scene()
    assert scene.boxes.tolist() == [[56, 60, 116, 100]]
    assert scene.ignore.tolist() == [[50, 60, 56, 100]]


def test_what_is_hidden_altogether_is_not_there() -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, (50, 60))
    made.draw(plain(240), ALL, (50, 60))
    scene = made.scene()
    assert len(scene.boxes) == 1
    assert not len(scene.ignore)


@pytest.mark.parametrize(("corner", "box"), [((-20, -10), [0, 0, 40, 30]), ((170, 180), [170, 180, 200, 200])])
def test_the_edge_of_the_picture_cuts(corner: tuple[int, int], box: list[int]) -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, corner)
    assert made.scene().boxes.tolist() == [box]


def test_out_of_the_picture_changes_nothing() -> None:
    made = Herd(field())
    made.draw(plain(10), ALL, (300, 20))
    made.draw(plain(10), ALL, (20, -50))
    scene = made.scene()
    assert not len(scene.boxes)
    np.testing.assert_array_equal(scene.pixels, field())


def test_shadows_and_reflections_belong_to_no_horse() -> None:
    made = Herd(field())
    made.reflect(plain(10), ALL, (50, 60), 0.5)
    made.shade(ALL, (50, 60), 0.5, 0.2)
    made.draw(plain(240), ALL, (50, 60))
    scene = made.scene()
    assert scene.boxes.tolist() == [[50, 60, 110, 100]]
    assert (scene.pixels[101:135, 55:105] < 128).all(), "both darken the ground below"


def test_a_cut_out_is_cut_to_its_mask(tmp_path: Path) -> None:
    horse, mask = cutout(silhouette(tmp_path, "one", 50))
    assert horse.shape == (40, 60, 3)
    assert (horse == 50).all()
    assert (mask == 255).all()


@pytest.mark.parametrize("seed", range(20))
def test_boxes_lie_in_the_picture_and_hold_something(tmp_path: Path, seed: int) -> None:
    horses = [silhouette(tmp_path, "one", 50), silhouette(tmp_path, "two", 90)]
    rng = np.random.default_rng(seed)
    back = ground(160, rng)
    scene = herd(back, horses, rng)
    found = np.concatenate([scene.boxes, scene.ignore])
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= 160).all()
    assert (scene.boxes[:, 2:] - scene.boxes[:, :2] >= 8).all()
    for x1, y1, x2, y2 in scene.boxes.astype(int):
        assert (scene.pixels[y1:y2, x1:x2] != back[y1:y2, x1:x2]).any()


def test_a_composer_makes_herds_of_a_given_share(tmp_path: Path) -> None:
    dog = Picture(
        tmp_path / "dog.png",
        "pet",
        np.array([[2, 2, 40, 40]], np.float32),
        np.array([CLASSES.index("dog")]),
        np.zeros((0, 4), np.float32),
    )
    cv2.imwrite(str(dog.path), field(60))
    human = Picture(
        tmp_path / "dog.png", "human", np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros((0, 4), np.float32)
    )
    library = Library({"pet": [dog], "human": [human], "silhouette": [silhouette(tmp_path, "one", 50)]})
    composer = Composer(library, Mix(negative=1, herd=0.5, pasted=0, covered=0, barred=0), seed=4)
    with_horses = [HORSE in composer.sample(number, 96).labels for number in range(60)]
    assert 0.3 < sum(with_horses) / 60 < 0.7

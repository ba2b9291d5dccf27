import numpy as np
import pytest
from tests.networks import known

from barnhand.core.geometry import Letterbox
from barnhand.networks.pictures import GREY, cut, letterbox, planes, rectangle, square_crops

SIZES = [(64, 64), (640, 360), (360, 640), (1920, 1080), (30, 20), (417, 415), (1, 500), (500, 1)]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_letterbox_takes_boxes_there_and_back(width: int, height: int, centred: bool) -> None:
    square, placed = letterbox(known.picture(width, height), 96, centred=centred)
    assert square.shape == (96, 96, 3)
    boxes = np.array([[0, 0, width, height], [width / 4, height / 4, width / 2, height / 2]], np.float32)
    there = placed.letterbox.to_input(boxes)
    np.testing.assert_allclose(placed.letterbox.to_picture(there), boxes, rtol=1e-5, atol=1e-3)
    assert (there >= -0.51).all()
    assert (there <= 96.51).all()


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_is_not_the_picture_is_grey(width: int, height: int, centred: bool) -> None:
    square, placed = letterbox(np.zeros((height, width, 3), np.uint8), 96, centred=centred)
    x0, y0, x1, y1 = placed.letterbox.to_input(np.array([0, 0, width, height], np.float32))
    inside = np.zeros((96, 96), np.bool_)
    inside[round(y0) : max(round(y1), round(y0) + 1), round(x0) : max(round(x1), round(x0) + 1)] = True
    assert (square[inside] == 0).all()
    assert (square[~inside] == GREY).all()


def test_a_letterbox_at_full_size_changes_nothing() -> None:
    image = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
    square, placed = letterbox(image, 96)
    np.testing.assert_array_equal(square, image)
    assert placed.letterbox == Letterbox(1.0)


AREA = 416 * 320
SHAPES = {
    (640, 480): (416, 320),
    (1920, 1080): (480, 256),
    (1080, 1920): (256, 480),
    (720, 480): (448, 288),
    (500, 500): (352, 352),
}


@pytest.mark.parametrize(("size", "shape"), SHAPES.items())
def test_a_rectangle_has_the_pictures_shape(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert rectangle(*size, AREA) == shape


@pytest.mark.parametrize("pixels", [32 * 32, 64 * 96, AREA])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_other_rectangle_of_as_many_pixels_shows_more(width: int, height: int, pixels: int) -> None:
    across, down = rectangle(width, height, pixels)
    assert across % 32 == down % 32 == 0
    assert across * down <= pixels
    scale = min(across / width, down / height)
    for other in range(32, pixels // 32 + 1, 32):
        assert min(other / width, pixels // other // 32 * 32 / height) <= scale * 1.001


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_rectangle_takes_boxes_there_and_back(width: int, height: int) -> None:
    shape = rectangle(width, height, AREA)
    inside, placed = letterbox(known.picture(width, height), *shape)
    assert inside.shape == (shape[1], shape[0], 3)
    boxes = np.array([[0, 0, width, height], [width / 4, height / 4, width / 2, height / 2]], np.float32)
    np.testing.assert_allclose(placed.letterbox.to_picture(placed.letterbox.to_input(boxes)), boxes, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("rgb", [False, True])
def test_planes_are_the_channels_in_order(rgb: bool) -> None:
    pictures = np.random.default_rng(2).integers(0, 256, (3, 5, 7, 3), np.uint8)
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
    ordered = pictures[..., ::-1] if rgb else pictures
    expected = (ordered.transpose(0, 3, 1, 2) - np.array(mean)[:, None, None]) / np.array(std)[:, None, None]
    np.testing.assert_allclose(planes(pictures, rgb=rgb, mean=mean, std=std), expected, atol=1e-5)
    np.testing.assert_array_equal(planes(pictures, rgb=rgb), ordered.transpose(0, 3, 1, 2))


def test_planes_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no picture"):
        planes([], rgb=True)


CROPS = {
    "inside": (20, 30, 60, 50),
    "over the left edge": (-20, 30, 30, 60),
    "over all edges": (-50, -50, 200, 150),
    "outside": (300, 300, 340, 320),
    "no area": (50, 40, 50, 40),
    "inside out": (60, 50, 20, 30),
    "a fraction of a pixel": (50.2, 40.1, 50.4, 40.3),
}


@pytest.mark.parametrize("box", CROPS.values(), ids=CROPS.keys())
def test_a_crop_is_a_square_around_the_box(box: tuple[float, float, float, float]) -> None:
    crops = square_crops(known.picture(100, 80), np.array([box], np.float32), 1.25, 32)
    assert crops.pixels.shape == (1, 32, 32, 3)
    longest = max(box[2] - box[0], box[3] - box[1])
    assert crops.edge[0] == max(2, round(1.25 * longest))
    centre = crops.corner[0] + crops.edge[0] / 2
    np.testing.assert_allclose(centre, [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], atol=1.5)


@pytest.mark.parametrize("box", [(20, 30, 60, 50), (-20, 30, 30, 60), (10, 10, 90, 70)])
def test_a_point_of_a_crop_goes_back_to_where_it_was(box: tuple[int, int, int, int]) -> None:
    image = known.picture(100, 80)
    known.disc(image, (25.0, 40.0), 3, known.BLUE)
    crops = square_crops(image, np.array([box], np.float32), 1.25, 256)
    y, x = np.nonzero((crops.pixels[0, ..., 0] > 200) & (crops.pixels[0, ..., 2] < 60))
    back = crops.points_to_picture(np.array([[[x.mean(), y.mean()]]], np.float32))
    np.testing.assert_allclose(back[0, 0], [25.0, 40.0], atol=0.25)


def test_cutting_inside_copies_nothing() -> None:
    image = known.picture(100, 80)
    assert np.shares_memory(cut(image, 10, 10, 50, 50), image)
    assert (cut(image, 90, 70, 110, 90)[10:, 10:] == GREY).all()

import numpy as np
import pytest

from barnhand.cli.draw import GOLDENROD, SKY_BLUE, Marked, draw
from barnhand.core.pose import Pose

GROUND = np.full((360, 640, 3), 60, np.uint8)


def box(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def shown(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.asarray((np.abs(image.astype(int) - colour) < 12).all(axis=2))


def pose(points: dict[int, tuple[float, float]], score: float = 0.9) -> Pose:
    places, scores = np.zeros((20, 2), np.float32), np.zeros(20, np.float32)
    for index, place in points.items():
        places[index], scores[index] = place, score
    return Pose("horse-20", places, scores)


def test_the_picture_itself_stays() -> None:
    before = GROUND.copy()
    draw(GROUND, [Marked(box(100, 100, 300, 300), "Horse")])
    np.testing.assert_array_equal(GROUND, before)


def test_nothing_to_draw_changes_nothing() -> None:
    np.testing.assert_array_equal(draw(GROUND, []), GROUND)


def test_a_box_is_where_the_horse_is() -> None:
    blue = shown(draw(GROUND, [Marked(box(100, 120, 300, 280))]), SKY_BLUE)
    y, x = np.nonzero(blue)
    np.testing.assert_allclose([x.min(), y.min(), x.max(), y.max()], [100, 120, 300, 280], atol=2)
    assert not blue[140:260, 120:280].any()


def test_points_below_the_least_score_are_not_drawn() -> None:
    seen = {2: (200.0, 200.0)}
    assert shown(draw(GROUND, [Marked(box(0, 0, 9, 9), pose=pose(seen))]), GOLDENROD)[198:203, 198:203].all()
    assert not shown(draw(GROUND, [Marked(box(0, 0, 9, 9), pose=pose(seen, 0.2))]), GOLDENROD).any()


def test_bones_join_points_that_are_both_seen() -> None:
    nose, throat = 2, 17
    both = draw(GROUND, [Marked(box(0, 0, 9, 9), pose=pose({nose: (200, 200), throat: (300, 200)}))])
    one = draw(GROUND, [Marked(box(0, 0, 9, 9), pose=pose({nose: (200, 200)}))])
    assert (both[200, 250] != GROUND[200, 250]).any()
    assert (one[200, 250] == GROUND[200, 250]).all()


@pytest.mark.parametrize("place", [(0, 0, 50, 50), (600, 330, 640, 360), (-100, -100, 20, 20), (630, -50, 900, 10)])
def test_a_label_stays_in_the_picture(place: tuple[float, ...]) -> None:
    drawn = draw(GROUND, [Marked(box(*place), "Ägir von der Weide (0.87)")])
    assert shown(drawn, SKY_BLUE).sum() > 1500, "its ground is there whole"


WILD = [(np.nan, 0, 50, 50), (0, 0, np.inf, 50), (-1e9, -1e9, 1e9, 1e9)]


@pytest.mark.parametrize("place", WILD)
def test_wild_numbers_do_no_harm(place: tuple[float, ...]) -> None:
    assert draw(GROUND, [Marked(box(*place), "", pose({2: (1e9, -1e9), 17: (np.nan, 3)}))]).shape == GROUND.shape


@pytest.mark.parametrize("size", [(1, 1), (20, 30), (2160, 3840)])
def test_any_size_of_picture_will_do(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    assert draw(image, [Marked(box(0, 0, size[1], size[0]), "Horse", pose({2: (3, 3)}))]).shape == image.shape

from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.errors import ConfigurationError
from barnhand.identity.embedder import Embedder, EmbedOptions
from barnhand.networks.families import adapt
from barnhand.networks.session import Session
from barnhand.networks.shelf import Shelf

LEFT, RIGHT = np.array([[0, 0, 50, 80]], np.float32), np.array([[50, 0, 100, 80]], np.float32)
BOTH = np.concatenate([LEFT, RIGHT])


def two_horses() -> np.ndarray:
    """Left half pure blue, right half pure red."""
    image = np.zeros((80, 100, 3), np.uint8)
    image[:, :50, 0] = 200
    image[:, 50:, 2] = 200
    return image


def embedder(path: Path, **options: int) -> Embedder:
    return Embedder(adapt(Session(path)), EmbedOptions(**options))  # type: ignore[arg-type]


def stretched(folder: Path, **options: int) -> Embedder:
    return embedder(known.barnhand_embedder(folder / "net.onnx", {"barnhand.crop": '{"kind": "stretch"}'}), **options)


def test_rows_have_unit_length_and_tell_colours_apart(tmp_path: Path) -> None:
    rows = stretched(tmp_path).embed(two_horses(), BOTH)
    assert rows.shape == (2, 256)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    # The known network writes the means of its channels, which are red, green, blue.
    np.testing.assert_allclose(rows[:, :3], [[0, 0, 1], [1, 0, 0]], atol=1e-6)


def test_a_square_crop_sees_the_border(tmp_path: Path) -> None:
    square = embedder(known.barnhand_embedder(tmp_path / "net.onnx", {"barnhand.crop": '{"kind": "square", "scale": 1.0}'}))
    (row,) = square.embed(two_horses(), LEFT)
    # 80 px square around 50: 15 px of grey at the left, 15 px of red at the right.
    mean = np.array([15 * 114 + 15 * 200, 15 * 114, 15 * 114 + 50 * 200]) / 80
    np.testing.assert_allclose(row[:3], mean / np.linalg.norm(mean), atol=0.02)


def test_megadescriptor_takes_pictures_between_minus_one_and_one(tmp_path: Path) -> None:
    mega = embedder(known.embedder(tmp_path / "net.onnx", size=768, side=224))
    assert mega.size == 768
    (row,) = mega.embed(two_horses(), LEFT)
    mean = np.array([-1, -1, 200 / 127.5 - 1])
    np.testing.assert_allclose(row[:3], mean / np.linalg.norm(mean), atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_rows_come_in_the_order_of_the_boxes(tmp_path: Path, batch: int) -> None:
    boxes = np.concatenate([RIGHT, LEFT, LEFT, RIGHT, LEFT])
    rows = stretched(tmp_path, batch=batch).embed(two_horses(), boxes)
    np.testing.assert_allclose(rows[:, 0], [1, 0, 0, 1, 0], atol=1e-6)


def test_no_box_no_row(tmp_path: Path) -> None:
    assert stretched(tmp_path).embed(two_horses(), np.zeros((0, 4), np.float32)).shape == (0, 256)


@pytest.mark.parametrize("box", [(10, 10, 10, 10), (50, 40, 20, 10), (-500, -500, -400, -400)])
def test_an_odd_box_still_has_its_row(tmp_path: Path, box: tuple[int, int, int, int]) -> None:
    rows = stretched(tmp_path).embed(two_horses(), np.array([box], np.float32))
    assert np.isfinite(rows).all()


def test_a_box_without_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not finite"):
        stretched(tmp_path).embed(two_horses(), np.array([[0, 0, np.inf, 10]], np.float32))


def test_it_opens_the_network_in_use_and_tells_its_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models", catalogue=())
    shelf.add(known.barnhand_embedder(tmp_path / "looks.onnx"))
    shelf.use("looks")
    assert Embedder.load(shelf).name == "looks"


def test_a_network_trained_anew_under_its_old_name_marks_its_vectors_as_others(tmp_path: Path) -> None:
    first = embedder(known.barnhand_embedder(tmp_path / "looks.onnx"))
    again = embedder(known.barnhand_embedder(tmp_path / "looks.onnx"))
    other = embedder(known.barnhand_embedder(tmp_path / "looks.onnx", {"barnhand.crop": '{"kind": "stretch"}'}))
    assert first.mark == again.mark
    assert first.mark.startswith("looks@")
    assert first.mark != other.mark


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one horse, got 0"):
        EmbedOptions(batch=0)

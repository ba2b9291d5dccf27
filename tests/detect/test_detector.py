from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.networks import known

from barnhand.core.detection import Detections
from barnhand.core.errors import ConfigurationError, ModelError, NotFoundError
from barnhand.core.geometry import Window
from barnhand.detect import DetectOptions, Detector
from barnhand.detect.tiles import merged, to_picture, windows
from barnhand.networks.adapter import Suppression
from barnhand.networks.detectors.barnhand import BarnHandDetector
from barnhand.networks.session import Session
from barnhand.networks.shelf import Shelf

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture
def network(tmp_path: Path) -> BarnHandDetector:
    return BarnHandDetector(Session(known.barnhand_detector(tmp_path / "net.onnx")))


BLOB = (100, 80, 420, 300)
PICTURE = known.picture(640, 360, [(BLOB, known.BLUE)])


def test_one_box_a_horse_best_first(network: BarnHandDetector) -> None:
    (found,) = Detector(network).detect([PICTURE])
    assert found.scores == pytest.approx([0.9]), "the larger box on the same blob is merged, the 0.2 is below the threshold"
    np.testing.assert_allclose(found.boxes, [BLOB], atol=15)


THRESHOLDS = [(0.0, 2), (0.2, 2), (0.21, 1), (0.9, 1), (0.91, 0)]


@pytest.mark.parametrize(("threshold", "count"), THRESHOLDS)
def test_the_threshold_is_the_least_score(network: BarnHandDetector, threshold: float, count: int) -> None:
    (found,) = Detector(network, DetectOptions(threshold=threshold)).detect([PICTURE])
    assert len(found) == count


def test_the_suppression_can_be_chosen(network: BarnHandDetector) -> None:
    (found,) = Detector(network, DetectOptions(suppression=Suppression(iou=0.99))).detect([PICTURE])
    assert found.scores == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
@pytest.mark.parametrize("tiles", [1, 2])
def test_the_batch_changes_nothing(network: BarnHandDetector, batch: int, tiles: int) -> None:
    pictures = [known.picture(200 + 40 * i, 160, [((20 + 10 * i, 30, 120, 120), known.BLUE)]) for i in range(5)]
    expected = [Detector(network, DetectOptions(tiles=tiles)).detect([picture])[0] for picture in pictures]
    for found, alone in zip(Detector(network, DetectOptions(tiles=tiles, batch=batch)).detect(pictures), expected, strict=True):
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 8])
def test_a_network_of_free_shape_sees_every_picture_in_its_own(tmp_path: Path, batch: int) -> None:
    path = known.barnhand_detector(tmp_path / "net.onnx", side=0, metadata={"barnhand.area": str(320 * 192)})
    detector = Detector(BarnHandDetector(Session(path)), DetectOptions(batch=batch))
    sizes = [(640, 360), (360, 640), (500, 500), (640, 360)]
    pictures = [known.picture(w, h, [((w // 4, h // 4, w // 2, h // 2), known.BLUE)]) for w, h in sizes]
    for (w, h), found in zip(sizes, detector.detect(pictures), strict=True):
        assert found.scores == pytest.approx([0.9])
        np.testing.assert_allclose(found.boxes, [(w / 4, h / 4, w / 2, h / 2)], atol=12)


@pytest.mark.parametrize("area", ["12", "-5", "wide"])
def test_a_file_that_asks_for_no_input_is_refused(tmp_path: Path, area: str) -> None:
    path = known.barnhand_detector(tmp_path / "net.onnx", side=0, metadata={"barnhand.area": area})
    with pytest.raises(ModelError, match="export it again"):
        BarnHandDetector(Session(path))


def test_no_picture_no_answer(network: BarnHandDetector) -> None:
    assert Detector(network).detect([]) == []


def test_it_opens_the_network_in_use_or_the_named_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models", catalogue=())
    with pytest.raises(NotFoundError, match="horse-detector"):
        Detector.load(shelf)
    shelf.add(known.yolox(tmp_path / "one.onnx"))
    shelf.add(known.ssdlite(tmp_path / "two.onnx"))
    shelf.use("one")
    assert Detector.load(shelf).network.name == "one"
    assert Detector.load(shelf, DetectOptions(model="two")).network.name == "two"


WRONG = [({"threshold": 1.2}, "threshold"), ({"tiles": 0}, "tiles"), ({"overlap": 1.0}, "overlap"), ({"batch": 0}, "batch")]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_options_that_make_no_sense_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DetectOptions(**values)  # type: ignore[arg-type]


# -- tiles


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 360), (7, 5), (1001, 999)])
@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_cover_the_picture_and_share_their_sides(width: int, height: int, n: int, overlap: float) -> None:
    grid = windows(width, height, n, overlap)
    assert len(grid) == n * n
    covered = np.zeros((height, width), np.bool_)
    for window in grid:
        assert 0 <= window.left < window.right <= width
        assert 0 <= window.top < window.bottom <= height
        covered[window.top : window.bottom, window.left : window.right] = True
    assert covered[1:-1, 1:-1].all()
    side = grid[0].right - grid[0].left
    shared = grid[0].right - grid[1].left
    assert shared >= overlap * side - 2


def test_one_tile_is_the_picture_alone() -> None:
    assert windows(640, 360, 1, 0.25) == []


WINDOW = Window(100, 50, 300, 250)
CUT = {
    "inside": ((20, 20, 100, 100), True),
    "at the left edge": ((0, 20, 100, 100), False),
    "at the top edge": ((20, 1, 100, 100), False),
    "at the right edge": ((20, 20, 199, 100), False),
    "at the bottom edge": ((20, 20, 100, 200), False),
}


@pytest.mark.parametrize(("box", "kept"), CUT.values(), ids=CUT.keys())
def test_what_a_windows_edge_cuts_is_left_to_others(box: tuple[int, int, int, int], kept: bool) -> None:
    found = to_picture(Detections(np.array([box], np.float32), np.array([0.5], np.float32)), WINDOW, 640, 360)
    assert len(found) == kept
    if kept:
        np.testing.assert_allclose(found.boxes, [[120, 70, 200, 150]])


def test_the_pictures_own_edge_cuts_nothing() -> None:
    whole = Window(0, 0, 640, 360)
    found = Detections(np.array([[0, 0, 640, 360]], np.float32), np.array([0.5], np.float32))
    assert len(to_picture(found, whole, 640, 360)) == 1


def test_half_a_large_horse_is_not_a_horse() -> None:
    whole = Detections(np.array([[100, 100, 500, 400]], np.float32), np.array([0.8], np.float32))
    head = Detections(np.array([[400, 110, 500, 250]], np.float32), np.array([0.7], np.float32))
    beside = Detections(np.array([[520, 110, 600, 250]], np.float32), np.array([0.7], np.float32))
    assert len(merged(whole, [head, beside], 0.3)) == 2
    assert len(merged(whole, [head, beside], 0.9)) == 3, "an unsure large box takes nothing away"


def test_a_distant_horse_is_found_with_tiles(network: BarnHandDetector) -> None:
    # The 64 px letterbox of 1920 px takes a sample every 30 px and none of them falls on this horse of 14 px.
    place = (1220, 710, 1234, 724)
    distant = known.picture(1920, 1080, [(place, known.BLUE)])
    (missed,) = Detector(network).detect([distant])
    assert len(missed) == 0
    (found,) = Detector(network, DetectOptions(tiles=6)).detect([distant])
    np.testing.assert_allclose(found.boxes[:1], [place], atol=10)


# -- the real files


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not here")
    return path


@pytest.mark.shared
@pytest.mark.parametrize(("file", "reference"), [("yolox_nano_coco", "YoloxNano"), ("ssdlite_mobilenet_v2_coco", "Ssdlite")])
def test_the_real_yardsticks_find_what_the_trainers_reading_of_them_finds(tmp_path: Path, file: str, reference: str) -> None:
    yardsticks = pytest.importorskip("training.detect.yardsticks")
    path = shared(f"models/{file}.onnx")
    folder = shared("data/animalpose/images")
    shelf = Shelf(tmp_path / "models")
    detector = Detector.load(shelf, DetectOptions(model=shelf.add(path).name, threshold=0.3))
    other = getattr(yardsticks, reference)(path)
    horses = 0
    for name in ("2007_000332.jpg", "2007_000392.jpg", "2007_000783.jpg", "2007_001420.jpg"):
        image = cv2.imread(str(folder / name))
        (found,) = detector.detect([image])
        boxes, scores = other(image)
        np.testing.assert_allclose(found.boxes, boxes[scores >= 0.3], atol=0.1)
        np.testing.assert_allclose(found.scores, scores[scores >= 0.3], atol=1e-4)
        horses += len(found)
    assert horses >= 2

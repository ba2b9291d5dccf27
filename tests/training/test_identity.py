"""The appearance network: what its figures mean, that crops are cut as at run time, and that the export answers alike."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.identity.augment import view  # noqa: E402
from training.identity.crops import HEIGHT, WIDTH, Crop, stretch  # noqa: E402
from training.identity.evaluate import distributions, retrieval, thresholds  # noqa: E402
from training.identity.model import contrast  # noqa: E402

from barnhand.networks.embedders.megadescriptor import stretched  # noqa: E402

WEIGHTS = Path(__file__).parents[2] / "src" / "barnhand" / "networks" / "weights"


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    values = np.array(rows, np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("queries", "names", "rank1", "mean_precision"),
    [
        # Each query's own horse comes first.
        (unit((1, 0), (0, 1)), ["a", "b"], 1.0, 1.0),
        # The second query is nearer to the other horse: right answer at rank 2 of 2.
        (unit((1, 0), (1, 0.1)), ["a", "b"], 0.5, 0.75),
    ],
)
def test_rank1_and_precision_of_a_known_gallery(queries, names, rank1: float, mean_precision: float) -> None:
    figures = retrieval(queries, unit((1, 0), (0, 1)), names, ["a", "b"], same_row=False)
    assert figures["rank1"] == pytest.approx(rank1)
    assert figures["mAP"] == pytest.approx(mean_precision)


def test_a_crop_does_not_find_itself() -> None:
    rows = unit((1, 0), (0.9, 0.1), (0, 1))
    figures = retrieval(rows, rows, ["a", "a", "b"], ["a", "a", "b"], same_row=True)
    assert figures["queries"] == 2, "a horse with one crop has nothing to be found by"
    assert figures["rank1"] == 1.0


def test_distributions_tell_same_from_different() -> None:
    rows = unit((1, 0), (1, 0.05), (0, 1), (0.05, 1))
    found = distributions(rows, ["a", "a", "b", "b"])
    assert min(found["same"]) > max(found["different"])


def test_the_confirmed_threshold_is_not_below_the_probable_one() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 8))
    rows = np.concatenate([c + rng.normal(0, 0.7, (6, 8)) for c in centres])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = thresholds(rows.astype(np.float32), [str(k // 6) for k in range(72)])
    assert found["confirmed"] >= found["probable"]


def test_contrast_falls_when_the_same_horse_is_nearer() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    apart = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [0, 1], [1, 0.1], [0.1, 1]]), dim=1)
    together = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]), dim=1)
    assert contrast(together, labels) < contrast(apart, labels)


@pytest.mark.parametrize("box", [(10.0, 20.0, 200.0, 150.0), (-30.4, -10.6, 90.2, 260.9), (250.0, 100.0, 120.0, 30.5)])
def test_training_cuts_crops_as_the_runtime_does(box: tuple[float, float, float, float]) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    x, y, w, h = box
    (runtime,) = stretched(picture, np.array([[x, y, x + w, y + h]], np.float32), WIDTH, HEIGHT)
    assert np.array_equal(stretch(picture, box), runtime)


def test_a_view_is_drawn_from_its_generator_alone() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    crop = Crop(picture, (40.0, 30.0, 200.0, 160.0), "a")
    first, second = (view(crop, np.random.default_rng(5), [], True) for _ in range(2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, view(crop, np.random.default_rng(6), [], True))


def test_the_exported_network_answers_as_the_trained_one() -> None:
    from training.common.export import open_session

    parity = np.load(WEIGHTS / "horse-embedder.parity.npz")
    (embedding,) = open_session(WEIGHTS / "horse-embedder.onnx").run(None, {"crops": parity["crops"].astype(np.float32)})
    assert embedding.shape == (len(parity["crops"]), 256)
    assert np.linalg.norm(embedding, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert (embedding * parity["embedding"]).sum(1).min() > 0.95

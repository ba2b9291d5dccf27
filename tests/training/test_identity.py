"""The appearance network: what its figures mean, that crops are cut as at run time, and that the export answers alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.identity.augment import view  # noqa: E402
from training.identity.combine import joined, whitening  # noqa: E402
from training.identity.crops import HEIGHT, WIDTH, Crop, stretch  # noqa: E402
from training.identity.measures import as_tracks, distributions, named, readings, retrieval, thresholds  # noqa: E402
from training.identity.model import Centres, contrast  # noqa: E402
from training.identity.sampler import Sampler  # noqa: E402
from training.identity.store import TALL, WIDE, Store, widened, write_part  # noqa: E402
from training.identity.twins import alike  # noqa: E402
from training.synthetic.looks import random_look  # noqa: E402

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


def test_a_stored_crop_holds_the_box_in_its_middle() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[60:188, 80:240] = 255
    stored = widened(Crop(picture, (80.0, 60.0, 160.0, 128.0), "a"))
    assert stored.shape == (TALL, WIDE, 3)
    edge_y, edge_x = (TALL - HEIGHT) // 2, (WIDE - WIDTH) // 2
    assert stored[edge_y + 1 : edge_y + HEIGHT - 1, edge_x + 1 : edge_x + WIDTH - 1].min() == 255
    assert stored[: edge_y - 1].max() == 0
    assert stored[:, : edge_x - 1].max() == 0


def test_a_view_is_drawn_from_its_generator_alone() -> None:
    stored = np.random.default_rng(1).integers(0, 255, (TALL, WIDE, 3), dtype=np.uint8)
    first, second = (view(stored, np.random.default_rng(5), True) for _ in range(2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, view(stored, np.random.default_rng(6), True))


def stored_crops(folder: Path) -> Store:
    def crop(name: str, group: str, shade: int) -> Crop:
        return Crop(np.full((40, 50, 3), shade, np.uint8), (5.0, 5.0, 40.0, 30.0), name, None, "day", group)

    horses = [crop(f"horse-{number}", ("bay", "grey")[number % 2], number) for number in range(8) for _ in range(3)]
    horses[2::3] = [replace(horse, light="infrared") for horse in horses[2::3]]
    write_part(folder, "rendered", [*horses, crop("horse-99", "bay", 99)])
    write_part(folder, "photographs", [crop(f"photo-{number}", "cow", 100 + number) for number in range(6)])
    return Store.open(folder)


def test_a_store_reads_back_what_was_written(tmp_path: Path) -> None:
    store = stored_crops(tmp_path)
    assert len(store) == 31
    for row in range(len(store)):
        kind, number = store.identities[row].split("-")
        assert store.picture(row)[TALL // 2, WIDE // 2, 0] == int(number) + (100 if kind == "photo" else 0)
    assert write_part(tmp_path, "photographs", []) == 6, "a part that is there is left as it is"


def test_a_batch_holds_each_horse_in_several_pictures_and_photographs_twice(tmp_path: Path) -> None:
    store = stored_crops(tmp_path)
    sampler = Sampler(store, rendered=4, views=3, photographed=5)
    assert "horse-99" not in sampler.horses, "a horse with one picture has nothing to be compared with"
    for seed in range(6):
        batch = sampler.batch(np.random.default_rng(seed))
        names = store.identities[batch.rows]
        for label in np.unique(batch.labels):
            own = names[batch.labels == label]
            assert len(set(own)) == 1
            assert len(own) == (3 if own[0].startswith("horse-") else 2)
        assert [f"horse-{number}" for number in batch.horses] == names[: batch.rendered].tolist()


def test_every_horse_of_a_batch_is_seen_by_day_and_by_night(tmp_path: Path) -> None:
    store = stored_crops(tmp_path)
    batch = Sampler(store, rendered=4, views=3, photographed=5).batch(np.random.default_rng(0))
    for label in np.unique(batch.labels[: batch.rendered]):
        lights = store.lights[batch.rows[batch.labels == label]].tolist()
        assert lights == ["day", "day", "infrared"]


def test_a_crop_is_drawn_to_the_centre_of_its_horse() -> None:
    centres = Centres(10, 2)
    right, up = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert centres(right, torch.tensor([3])) == 0.0, "nobody has been seen yet"
    centres.follow(torch.cat([right, up]), torch.tensor([3, 7]))
    assert centres(right, torch.tensor([3])) < centres(right, torch.tensor([7]))
    assert centres(torch.cat([right, up]), torch.tensor([3, 5])) == centres(right, torch.tensor([3])), "horse 5 has no centre"


def test_a_centre_follows_its_horse_and_keeps_unit_length() -> None:
    centres = Centres(10, 2, kept=0.5)
    right, up = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    centres.follow(right, torch.tensor([3]))
    centres.follow(up, torch.tensor([3]))
    assert centres.vectors[3].tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
    assert centres.vectors[4].tolist() == [0.0, 0.0]


def test_a_view_by_night_is_grey() -> None:
    stored = np.random.default_rng(1).integers(0, 255, (TALL, WIDE, 3), dtype=np.uint8)
    for seed in range(12):
        picture = view(stored, np.random.default_rng([seed, 1]), False, night=True).astype(int)
        assert np.ptp(picture.mean((0, 1))) < 12, "noise, tints and covers may colour it a little"


def test_a_track_is_compared_with_the_best_look_of_each_horse() -> None:
    gallery = unit((1, 0), (0, 1), (0.6, 0.8))
    similarity, same = as_tracks(unit((1, 0), (0, 1)), gallery, ["a", "a"], ["a", "a", "b"], glimpses=2)
    assert similarity == pytest.approx(np.array([[1.0, 0.7]]))
    assert same.tolist() == [[True, False]]
    assert named(similarity, same) == {"queries": 1, "rank1": 1.0, "mAP": 1.0}
    assert named(similarity, ~same) == {"queries": 1, "rank1": 0.0, "mAP": 0.5}


def test_whitening_keeps_the_widest_directions_and_evens_them_out() -> None:
    rng = np.random.default_rng(2)
    wide, narrow = rng.normal(size=(4000, 1)), rng.normal(size=(4000, 1))
    noise = rng.normal(0, 0.01, (4000, 4))
    rows = np.concatenate([wide, wide, wide, narrow], 1) + noise + 7
    weight, bias = whitening(rows, 2, power=0.5)
    out = rows @ weight.T + bias
    assert out.mean(0) == pytest.approx(np.zeros(2), abs=1e-3)
    assert out.std(0) == pytest.approx(np.ones(2), rel=1e-2)
    assert abs(np.corrcoef(out[:, 0], wide[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(out[:, 1], narrow[:, 0])[0, 1]) > 0.99


def test_joined_vectors_weigh_the_two_similarities() -> None:
    trained, still = unit((1, 0), (0.6, 0.8)), unit((1, 0), (0, 1))
    rows = joined(trained, still, 0.25)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
    assert rows[0] @ rows[1] == pytest.approx(0.75 * 0.6)


def test_readings_count_right_names_and_named_strangers() -> None:
    distances = {"same": {"mean": 0.8, "std": 0.1}, "different": {"mean": 0.2, "std": 0.1}}
    same = np.array([[True, False], [True, False], [False, False]])
    similarity = np.array([[0.9, 0.1], [0.4, 0.9], [0.9, 0.9]], np.float32)
    found = readings(similarity, same, distances)
    assert found["own name"] == 0.5, "the third track's horse is not in the gallery and does not count"
    assert found["nearer to another"] == 0.5
    assert found["stranger named, probable"] == 0.5


def test_doubles_are_those_of_one_coat_and_the_same_marks() -> None:
    look = random_look(5001, tack=False)
    assert alike(look, replace(look, offset=(0.1, 0.2, 0.3)))
    assert not alike(look, replace(look, socks=(0.5, 0.5, 0.5, 0.5)))
    assert not alike(look, replace(look, coat="zebra"))


def test_the_exported_network_answers_as_the_trained_one() -> None:
    from training.common.export import open_session

    parity = np.load(WEIGHTS / "horse-embedder.parity.npz")
    (embedding,) = open_session(WEIGHTS / "horse-embedder.onnx").run(None, {"crops": parity["crops"].astype(np.float32)})
    assert embedding.shape == (len(parity["crops"]), 256)
    assert np.linalg.norm(embedding, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert (embedding * parity["embedding"]).sum(1).min() > 0.95

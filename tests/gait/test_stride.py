"""Stride frequency: from made-up swings, and from sequences of real horses."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from barnhand.gait.stride import LIMBS, stride

Doubles = npt.NDArray[np.float64]
GAIT = Path(__file__).parents[3] / "shared/data/gait"
OTHER = {"left_front_hoof": "A1", "left_carpus": "A5", "left_hind_hoof": "P1", "left_hock": "P5"}
NAMES = OTHER | {name.replace("left", "right"): f"{code}_1" for name, code in OTHER.items()}


def swings(seconds: Doubles, hz: float, amplitude: float = 0.2, noise: float = 0.02, seed: int = 0) -> list[Doubles]:
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, len(LIMBS))
    return [amplitude * np.sin(2 * np.pi * hz * seconds + p) + rng.normal(size=len(seconds)) * noise for p in phases]


@pytest.mark.parametrize("fps", [5, 8.33, 25])
@pytest.mark.parametrize("hz", [0.7, 0.9, 1.3, 1.8, 2.1])
def test_the_rhythm_of_the_legs_is_found(fps: float, hz: float) -> None:
    seconds = np.arange(0, 4, 1 / fps)
    found = stride(seconds, swings(seconds, hz))
    assert found is not None
    assert found.hz == pytest.approx(hz, abs=0.04)
    assert found.quality > 0.9


def test_hidden_legs_and_missing_pictures_are_borne() -> None:
    rng = np.random.default_rng(2)
    seconds = np.sort(rng.choice(np.arange(0, 4, 0.1), 28, replace=False))
    legs = swings(seconds, 1.2)
    for leg in legs:
        leg[rng.random(len(leg)) < 0.3] = np.nan
    legs[0][:] = np.nan
    found = stride(seconds, legs)
    assert found is not None
    assert found.hz == pytest.approx(1.2, abs=0.05)


def test_left_and_right_taken_for_one_another_now_and_then_leave_the_rhythm() -> None:
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 4, 0.1)
    left, right = 0.2 * np.sin(2 * np.pi * 0.9 * seconds), -0.2 * np.sin(2 * np.pi * 0.9 * seconds)
    swap = (left > 0) & (rng.random(len(left)) < 0.35)
    legs = [np.where(swap, right, left), np.where(swap, left, right)] * 4
    found = stride(seconds, [leg + rng.normal(size=len(leg)) * 0.02 for leg in legs])
    assert found is not None
    assert found.hz == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("seconds", "amplitude", "noise", "hz"),
    [
        (np.arange(0, 1, 0.1), 0.2, 0.02, 1.2),
        (np.arange(0, 4, 1.0), 0.2, 0.02, 1.2),
        (np.arange(0, 4, 0.1), 0.01, 0.005, 1.2),
        (np.arange(0, 4, 0.1), 0.0, 0.2, 1.2),
        (np.arange(0, 4, 0.1), 0.2, 0.02, 0.1),
        (np.zeros(0), 0.2, 0.02, 1.2),
    ],
    ids=["too short", "sampled too slowly", "legs at rest", "noise", "slower than can be told", "nothing"],
)
def test_what_cannot_be_measured_is_not_told(seconds: Doubles, amplitude: float, noise: float, hz: float) -> None:
    assert stride(seconds, swings(seconds, hz, amplitude, noise)) is None


def read(path: Path) -> tuple[Doubles, list[Doubles]]:
    """Times, as if at 25 pictures a second, and the swing of each limb along the body in body lengths."""
    data = json.loads(path.read_text())
    order = data["categories"][0]["keypoints"]
    rows = {a["image_id"]: a["keypoints"] for a in data["annotations"]}
    seconds = np.array(sorted(rows)) / 25
    points = np.array([rows[k] for k in sorted(rows)], float).reshape(-1, len(order), 3)
    place = {name: np.where(points[:, [k], 2] > 0, points[:, k, :2], np.nan) for k, name in enumerate(order)}
    trunk = place["A8"] - place["Q1"]
    length = np.linalg.norm(trunk, axis=1, keepdims=True)
    middle = (place["A8"] + place["Q1"]) / 2
    scale = 1.5 * float(np.nanmedian(length))
    return seconds, [((place[NAMES[limb]] - middle) * trunk / length).sum(1) / scale for limb in LIMBS]


@pytest.mark.shared
@pytest.mark.skipif(not GAIT.is_dir(), reason="needs the folder ../shared/data/gait")
@pytest.mark.parametrize("every", [1, 5], ids=["25 fps", "5 fps"])
def test_walk_trot_and_canter_of_real_horses_differ_in_stride_frequency(every: int) -> None:
    """The files' own names tell the gait; the limits are for their assumed 25 fps and lie between the gaits' medians."""
    right = told = 0
    for path in sorted(GAIT.glob("*.json")):
        seconds, limbs = read(path)
        found = stride(seconds[:100:every], [limb[:100:every] for limb in limbs])
        if found is not None:
            told += 1
            right += str(1 + (found.hz > 0.89) + (found.hz > 1.2)) == path.stem[-1]
    assert told >= 28
    assert right / told >= 0.85

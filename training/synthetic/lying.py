"""Poses no clip holds: lying on the chest, flat out, rolling, getting up, looking at the flank; and contact with the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from training.synthetic.gaits import standing
from training.synthetic.model import HorseModel
from training.synthetic.rig import Floats, Pose, Rig, bend, rest_pose, skin, skin_matrices

Angles = dict[str, tuple[float, float, float]]


def legs(front: tuple[float, float, float], hind: tuple[float, float, float, float], spread: float = 0.0) -> Angles:
    """Pitches of shoulder, carpus, fetlock and of hip, stifle, hock, fetlock, alike on both sides.

    ``spread`` degrees outwards.
    """
    out: Angles = {}
    for side, sign in (("L", 1.0), ("R", -1.0)):
        for name, angle in zip(("FrontUpperLeg", "FrontLowerLeg", "IKFrontLeg"), front, strict=True):
            out[f"{name}.{side}"] = (angle, 0.0, sign * spread if name == "FrontUpperLeg" else 0.0)
        for name, angle in zip(("BackLeg", "BackUpperLeg", "BackLowerLeg", "IKBackLeg"), hind, strict=True):
            out[f"{name}.{side}"] = (angle, 0.0, sign * spread if name == "BackLeg" else 0.0)
    return out


def turned(pose: Pose, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Pose:
    """The whole horse rolled (z), pitched (x) and turned (y), degrees, about its own middle."""
    turn = Rotation.from_euler("yxz", [y, x, z], degrees=True).as_matrix()
    middle = np.array([0.0, 1.15, 0.0])
    return Pose(pose.rotations, pose.shifts, middle - turn @ middle, turn)


def kneeling(rig: Rig) -> Pose:
    """On the way down or up: carpi on the ground, hindquarters high."""
    pose = bend(rig, rest_pose(rig), legs((-38, 112, 25), (-28, 30, -26, 10)))
    return turned(bend(rig, pose, {"Neck1": (-8, 0, 0), "Neck2": (6, 0, 0), "Head": (10, 0, 0)}), x=16)


def sternal(rig: Rig, side: float = 1.0, head: float = 0.0) -> Pose:
    """On the chest, legs folded, leaning on one hip; ``head`` 0 up .. 1 nose on the ground."""
    angles = legs((-84, 160, 30), (-12, 52, -124, 24), 4)
    low = "L" if side > 0 else "R"
    angles[f"FrontUpperLeg.{low}"] = (-78, 0, 0)
    angles[f"BackLeg.{'R' if low == 'L' else 'L'}"] = (-16, 0, 16 * side)
    angles |= {
        "Neck1": (2 + 22 * head, 5 * side, 0),
        "Neck2": (4 + 24 * head, 5 * side, 0),
        "Neck3": (4 + 14 * head, 4 * side, 0),
        "Head": (4 - 14 * head, 4 * side, 0),
        "Tail2": (-20, 0, 20 * side),
        "Tail3": (12, 0, 24 * side),
        "Tail5": (0, 0, 10 * side),
        "Torso": (0, -5 * side, 0),
    }
    return turned(bend(rig, rest_pose(rig), angles), z=-24 * side)


def flat(rig: Rig, side: float = 1.0, stretch: float = 0.0) -> Pose:
    """Lateral: flat on the left (side 1) or right (-1) side, legs out, neck along the ground."""
    angles = legs((-8 - 14 * stretch, 22 - 10 * stretch, 18), (-2 + 8 * stretch, 16, -22, 12))
    upper = "R" if side > 0 else "L"
    angles[f"FrontUpperLeg.{upper}"] = (-22 - 10 * stretch, 0, 8 * side)
    angles[f"FrontLowerLeg.{upper}"] = (42 - 20 * stretch, 0, 0)
    angles[f"BackLeg.{upper}"] = (6, 0, 8 * side)
    angles |= {
        "Neck1": (14, 7 * side, 0),
        "Neck2": (10, 5 * side, 0),
        "Neck3": (4, 2 * side, 0),
        "Head": (-8, -3 * side, 0),
        "Tail3": (0, 0, 8 * side),
    }
    return turned(bend(rig, rest_pose(rig), angles), z=-88 * side)


def on_back(rig: Rig, roll: float, kick: float) -> Pose:
    """Rolling.

    ``roll`` degrees past the side (90 flat, 180 on the back), legs folded in the air, ``kick`` -1..1 swings them.
    """
    angles = legs((-48 + 10 * kick, 96 - 12 * kick, 40), (-54 - 8 * kick, 56, -74 + 14 * kick, 30), 8)
    angles |= {"Neck1": (10, 10 * kick, 0), "Neck2": (8, 10 * kick, 0), "Head": (-12, 8 * kick, 0), "Tail2": (-25, 0, 0)}
    return turned(bend(rig, rest_pose(rig), angles), z=-roll)


def sitting(rig: Rig) -> Pose:
    """Getting up: forelegs stretched out in front, hindquarters still on the ground."""
    angles = legs((-30, 4, -18), (-64, 70, -106, 35), 5)
    angles |= {"Neck1": (-4, 0, 0), "Neck2": (8, 0, 0), "Head": (8, 0, 0), "Tail2": (-18, 0, 10)}
    return turned(bend(rig, rest_pose(rig), angles), x=-27)


def crouching(rig: Rig) -> Pose:
    """Legs gathered, about to go down: the horse circles and sniffs before it lies down."""
    pose = bend(rig, rest_pose(rig), legs((-24, 46, 12), (-36, 42, -42, 18)))
    return bend(rig, pose, {"Neck1": (32, 0, 0), "Neck2": (28, 0, 0), "Neck3": (10, 0, 0), "Head": (-20, 0, 0)})


def flank_look(rig: Rig, side: float = 1.0, share: float = 1.0, base: Pose | None = None) -> Pose:
    """Standing (or any ``base``) with head and neck turned back to the flank."""
    k = side * share
    return bend(
        rig,
        standing(rig) if base is None else base,
        {
            "Torso2": (0, 6 * k, 0),
            "Torso3": (0, 12 * k, 0),
            "Neck1": (10 * share, 30 * k, 6 * k),
            "Neck2": (12 * share, 34 * k, 8 * k),
            "Neck3": (6 * share, 30 * k, 6 * k),
            "Head": (-2 * share, 26 * k, 0),
        },
    )


def grazing(rig: Rig, share: float = 1.0, base: Pose | None = None) -> Pose:
    """Head down to the ground."""
    return bend(
        rig,
        standing(rig, spread=0.05) if base is None else base,
        {
            "Torso3": (8 * share, 0, 0),
            "Neck1": (40 * share, 0, 0),
            "Neck2": (38 * share, 0, 0),
            "Neck3": (18 * share, 0, 0),
            "Head": (-24 * share, 0, 0),
        },
    )


def grounded(model: HorseModel, rig: Rig, factors: Floats, pose: Pose, sink: float = 0.02) -> Pose:
    """The pose moved up or down until it rests on the ground.

    A standing horse rests on its lowest hoof; a lying one on its trunk, which may press ``sink`` metres into the bedding, and
    no other part may lie more than 9 cm under it.
    """
    points = skin(model.coarse.points * factors, model.coarse.joints, model.coarse.weights, skin_matrices(rig, pose))
    heights = points[:, 1]
    trunk = np.isin(model.coarse.joints[:, 0], [rig.index[n] for n in ("Back", "Torso", "Torso2", "Torso3")])
    tail = np.isin(model.coarse.joints[:, 0], [k for k, n in enumerate(rig.names) if n.startswith(("Tail", "Ear"))])
    lowest, belly = float(heights[~tail].min()), float(heights[trunk].min())
    allowed = 0.09 * float(np.clip((0.45 - (belly - lowest)) / 0.3, 0, 1))
    floor = min(belly + sink, lowest + allowed)
    return Pose(pose.rotations, pose.shifts, pose.root - np.array([0.0, floor, 0.0]), pose.turn)


def heights_of(model: HorseModel, rig: Rig, factors: Floats, pose: Pose) -> dict[str, float]:
    """Lowest height of trunk, legs and head: what the tests and the preview look at."""
    points = skin(model.coarse.points * factors, model.coarse.joints, model.coarse.weights, skin_matrices(rig, pose))
    first = model.coarse.joints[:, 0]
    groups = {
        "trunk": [
            k for k, n in enumerate(rig.names) if n.startswith(("Back", "Torso")) and "Leg" not in n and "Shoulder" not in n
        ],
        "front": [k for k, n in enumerate(rig.names) if n.startswith(("Front", "IKFront", "FF."))],
        "hind": [k for k, n in enumerate(rig.names) if n.startswith(("BackLeg", "BackUpper", "BackLower", "IKBack", "FFB"))],
        "head": [k for k, n in enumerate(rig.names) if n in ("Head", "Neck3")],
    }
    return {name: float(points[np.isin(first, joints), 1].min()) for name, joints in groups.items()}


RECUMBENT: dict[str, Callable[[Rig], Pose]] = {
    "kneeling": kneeling,
    "sternal": sternal,
    "flat": flat,
    "sitting": sitting,
    "crouching": crouching,
}

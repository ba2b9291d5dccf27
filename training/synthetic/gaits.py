"""Walk, trot, canter and gallop as footfalls: hooves in stance move exactly with the ground, the body follows.

Footfall phases and duty factors after Hildebrand (1965) and Clayton, "The Dynamic Horse": walk in lateral sequence, trot in
diagonal pairs, canter in three beats with a leading foreleg, gallop in four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic.legs import LEGS, Foot, place_feet, rest_foot
from training.synthetic.rig import Pose, Rig, bend, rest_pose


@dataclass(frozen=True)
class Gait:
    """Touch-down phase a leg, share of the stride a hoof stands, stride seconds, metres a second for a horse of 1.6 m."""

    name: str
    touchdown: dict[str, float]
    duty: float
    seconds: float
    speed: float
    lift: float
    bob: float
    rock: float
    nod: float
    neck: float


GAITS = {
    "walk": Gait("walk", {"LH": 0.0, "LF": 0.25, "RH": 0.5, "RF": 0.75}, 0.62, 1.12, 1.55, 0.13, 0.012, 0.0, 5.0, 14.0),
    "trot": Gait("trot", {"LF": 0.0, "RH": 0.0, "RF": 0.5, "LH": 0.5}, 0.44, 0.74, 3.2, 0.22, 0.035, 0.0, 1.0, 2.0),
    "canter": Gait("canter", {"RH": 0.0, "LH": 0.27, "RF": 0.29, "LF": 0.52}, 0.36, 0.62, 4.7, 0.28, 0.05, 5.0, 6.0, 6.0),
    "gallop": Gait("gallop", {"RH": 0.0, "LH": 0.13, "RF": 0.42, "LF": 0.55}, 0.24, 0.48, 8.5, 0.36, 0.06, 5.0, 8.0, 22.0),
}
MIRROR = {"LF": "RF", "RF": "LF", "LH": "RH", "RH": "LH"}


@dataclass(frozen=True)
class Stride:
    """One horse's way of moving: which gait, how long and high its steps are, which foreleg leads, how it carries its head."""

    gait: Gait
    length: float = 1.0
    height: float = 1.0
    left_lead: bool = True
    head: float = 0.0

    def speed(self, rig: Rig) -> float:
        """Metres a second at which no hoof slides."""
        return self.gait.speed * self.length * _leg_scale(rig)

    def seconds(self) -> float:
        """Seconds a stride."""
        return self.gait.seconds * (0.85 + 0.15 * self.length)


def _leg_scale(rig: Rig) -> float:
    return float(rig.rest[rig.index["FrontUpperLeg.L"], 1] / 1.064)


def moving(rig: Rig, stride: Stride, phase: float) -> Pose:
    """The pose at ``phase`` 0..1 of the stride, standing at the origin, facing +z."""
    gait, scale = stride.gait, _leg_scale(rig)
    base = rest_pose(rig)
    wave = 2 * np.pi * phase
    beats = 2 if gait.name in ("walk", "trot") else 1
    # Trot: lowest at mid-stance of each diagonal pair. Canter and gallop: highest in the suspension that follows the last
    # foreleg.
    low = gait.duty / 2 if beats == 2 else 0.40
    drop = -gait.bob * (1.25 + np.cos(beats * 2 * np.pi * (phase - low))) * scale
    rocking = gait.rock * np.sin(2 * np.pi * (phase - 0.12))
    carried = gait.neck + stride.head
    nod = gait.nod * np.sin(beats * 2 * np.pi * (phase - 0.1))
    spine = {
        "Back": (-0.5 * rocking, 1.6 * np.sin(wave) if gait.name == "walk" else 0.0, 0.0),
        "Torso": (-0.2 * rocking, -1.6 * np.sin(wave) if gait.name == "walk" else 0.0, 0.0),
        "Torso2": (-0.3 * rocking, 0.0, 0.0),
        "Neck1": (0.45 * carried + 0.5 * nod, 0.0, 0.0),
        "Neck2": (0.35 * carried + 0.35 * nod, 0.0, 0.0),
        "Neck3": (0.1 * carried + 0.2 * nod, 0.0, 0.0),
        "Head": (-0.55 * carried - 0.6 * nod, 0.0, 0.0),
        "Tail1": (-12.0 - 4 * np.sin(wave * beats), 0.0, 0.0),
        "Tail3": (0.0, 0.0, 7.0 * np.sin(wave)),
        "Tail5": (0.0, 0.0, 6.0 * np.sin(wave - 0.7)),
    }
    pose = bend(rig, base, spine)
    shifts = pose.shifts.copy()
    shifts[rig.index["Body"], 1] += drop
    pose = Pose(pose.rotations, shifts, pose.root, pose.turn)
    feet = {leg: _foot(rig, stride, leg, phase, scale) for leg in LEGS}
    return place_feet(rig, pose, feet)


def _foot(rig: Rig, stride: Stride, leg: str, phase: float, scale: float) -> Foot:
    gait = stride.gait
    starts = gait.touchdown[leg if stride.left_lead else MIRROR[leg]]
    own = (phase - starts) % 1.0
    rest = rest_foot(rig, leg)
    ground = stride.speed(rig) * stride.seconds() * gait.duty
    middle = rest[2] + (-0.04 if leg in ("LF", "RF") else 0.06) * scale
    narrow = 0.72 if gait.name != "walk" else 0.8
    across = rest[0] * narrow
    if own < gait.duty:
        share = own / gait.duty
        load = np.sin(np.pi * share)
        peel = max(0.0, (share - 0.82) / 0.18)
        # As the heel leaves the ground the hoof turns about its toe.
        toe = 0.07 * scale
        angle = 38 * peel**1.5
        lift = toe * np.sin(np.radians(angle))
        return Foot(
            np.array([across, rest[1] + lift, middle + ground * (0.5 - share) + 0.2 * lift]),
            angle,
            -16 * load * (1 - peel) + 30 * peel,
        )
    share = (own - gait.duty) / (1 - gait.duty)
    ease = share - np.sin(2 * np.pi * share) / (2 * np.pi) * 0.75
    high = gait.lift * stride.height * scale * (0.8 if leg in ("LH", "RH") else 1.0)
    bump = np.sin(np.pi * share**0.8) ** 1.1
    toe_start = 0.07 * scale * np.sin(np.radians(38))
    up = rest[1] + high * bump + toe_start * (1 - share) ** 3
    angle = 38 * (1 - share) ** 2 + 62 * np.sin(np.pi * min(share * 1.35, 1.0)) * (1 - share) - 6 * share**4
    flex = 30 * (1 - share) ** 2 + 58 * np.sin(np.pi * min(share * 1.25, 1.0)) * (1 - 0.5 * share)
    return Foot(np.array([across, up, middle + ground * (ease - 0.5)]), angle, flex)


def standing(rig: Rig, shift: float = 0.0, spread: float = 0.0, rest_leg: str | None = None) -> Pose:
    """Square on four hooves.

    ``shift`` of the body forward and ``spread`` of the stance in metres; one hind leg may rest on its toe.
    """
    pose = rest_pose(rig)
    shifts = pose.shifts.copy()
    shifts[rig.index["Body"]] += (0.0, -0.012, shift)
    pose = Pose(pose.rotations, shifts, pose.root, pose.turn)
    feet = {}
    for leg in LEGS:
        at = rest_foot(rig, leg) * np.array([0.85, 1.0, 1.0])
        at[2] += (spread if leg in ("LF", "RH") else -spread) + (0.04 if leg in ("LH", "RH") else 0.0)
        if leg == rest_leg:
            feet[leg] = Foot(at + np.array([0.0, 0.035, 0.10]), 32.0, 26.0)
        else:
            feet[leg] = Foot(at, 0.0, -3.0)
    return place_feet(rig, pose, feet)

"""Inverse kinematics of the four legs: put a hoof where it should be, with the pastern and hoof at given slopes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic.rig import Floats, Pose, Rig, joint_frames

FRONT = {"LF": "L", "RF": "R"}
LEGS = ("LF", "RF", "LH", "RH")


@dataclass(frozen=True)
class Foot:
    """Where a hoof is wanted: its pivot (3,) in the horse's space, hoof and pastern slopes in degrees (toe down positive)."""

    position: Floats
    hoof: float = 0.0
    pastern: float = 0.0


def chain(leg: str) -> tuple[str, str, str, str, str]:
    """Upper, middle, lower, pastern and hoof joints of a leg (front legs have no middle joint: it repeats the upper one)."""
    side = leg[0]
    if leg in FRONT:
        return f"FrontUpperLeg.{side}", f"FrontUpperLeg.{side}", f"FrontLowerLeg.{side}", f"IKFrontLeg.{side}", f"FF.{side}"
    return f"BackLeg.{side}", f"BackUpperLeg.{side}", f"BackLowerLeg.{side}", f"IKBackLeg.{side}", f"FFB.{side}"


def rest_foot(rig: Rig, leg: str) -> Floats:
    """The hoof pivot of a leg in the rest pose."""
    return np.asarray(rig.rest[rig.index[chain(leg)[4]]].copy())


def pitch(degrees: float) -> Floats:
    """Rotation about the left axis: forward goes down for positive angles."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def place_feet(rig: Rig, pose: Pose, feet: dict[str, Foot]) -> Pose:
    """The pose with each named leg bent so that its hoof reaches the wanted place (as far as the leg is long).

    Positions are in the horse's own space: before the pose's root and turn move it.
    """
    local = Pose(pose.rotations.copy(), pose.shifts.copy(), np.zeros(3), np.eye(3))
    for leg, foot in feet.items():
        upper, middle, lower, pastern, hoof = (rig.index[name] for name in chain(leg))
        for joint in {upper, middle, lower, pastern, hoof}:
            local.rotations[joint] = (0.0, 0.0, 0.0, 1.0)
            local.shifts[joint] = 0.0
        frames = joint_frames(rig, local)
        parent = frames[rig.parents[upper], :3, :3]
        fetlock = foot.position - pitch(foot.pastern) @ (rig.rest[hoof] - rig.rest[pastern])
        wanted = parent.T @ (fetlock - frames[upper, :3, 3])
        # The splay out of the leg's own plane comes first; the rest is planar.
        splay = float(np.arctan2(wanted[0] - (rig.rest[pastern] - rig.rest[upper])[0], -wanted[1]))
        planar = np.array([0.0, -np.hypot(wanted[0] - (rig.rest[pastern] - rig.rest[upper])[0], wanted[1]), wanted[2]])
        angles = (
            _front(rig, upper, lower, pastern, planar) if leg in FRONT else _hind(rig, upper, middle, lower, pastern, planar)
        )
        roll = np.array([[np.cos(splay), -np.sin(splay), 0], [np.sin(splay), np.cos(splay), 0], [0, 0, 1]])
        _turn(local, upper, roll @ pitch(angles[0]))
        if middle != upper:
            _turn(local, middle, pitch(angles[1]))
        _turn(local, lower, pitch(angles[2]))
        above = joint_frames(rig, local)[lower, :3, :3]
        slope = pitch(foot.pastern)
        _turn(local, pastern, above.T @ slope)
        _turn(local, hoof, slope.T @ pitch(foot.hoof))
    return Pose(local.rotations, local.shifts, pose.root, pose.turn)


def _turn(pose: Pose, joint: int, matrix: Floats) -> None:
    from scipy.spatial.transform import Rotation

    pose.rotations[joint] = Rotation.from_matrix(matrix).as_quat()


def _aim(reached: Floats, wanted: Floats) -> float:
    """Degrees about x that bring ``reached`` onto the direction of ``wanted`` in the leg's plane."""
    return float(np.degrees(np.arctan2(wanted[2], wanted[1]) - np.arctan2(reached[2], reached[1])))


def _front(rig: Rig, upper: int, lower: int, pastern: int, wanted: Floats) -> tuple[float, float, float]:
    first, second = rig.rest[lower] - rig.rest[upper], rig.rest[pastern] - rig.rest[lower]
    bends = np.linspace(-4, 140, 145)
    reach = np.array([first + pitch(b) @ second for b in bends])
    reach[:, 0] = 0
    distance = np.linalg.norm(reach, axis=1)
    bend = float(np.interp(-float(np.linalg.norm(wanted)), -distance, bends))
    tip = first + pitch(bend) @ second
    return _wrapped(_aim(tip, wanted)), 0.0, bend


def _hind(rig: Rig, upper: int, middle: int, lower: int, pastern: int, wanted: Floats) -> tuple[float, float, float]:
    # Stifle and hock bend together (the reciprocal apparatus of the horse's hind leg).
    thigh, gaskin, cannon = (
        rig.rest[middle] - rig.rest[upper],
        rig.rest[lower] - rig.rest[middle],
        rig.rest[pastern] - rig.rest[lower],
    )
    bends = np.linspace(-26, 100, 127)
    reach = np.array([thigh + pitch(b) @ (gaskin + pitch(-1.05 * b) @ cannon) for b in bends])
    reach[:, 0] = 0
    distance = np.linalg.norm(reach, axis=1)
    order = np.argsort(-distance)
    bend = float(np.interp(-float(np.linalg.norm(wanted)), -distance[order], bends[order]))
    tip = thigh + pitch(bend) @ (gaskin + pitch(-1.05 * bend) @ cannon)
    return _wrapped(_aim(tip, wanted)), bend, -1.05 * bend


def _wrapped(degrees: float) -> float:
    return (degrees + 180) % 360 - 180

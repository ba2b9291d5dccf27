"""The horse's skeleton as a rig: joints whose rest rotation is the identity, poses, blending and skinning matrices.

Space: metres, x to the horse's left, y up, z forward. Every joint's local rotation is relative to the rest pose, in axes
parallel to the horse's own, so "rotate the carpus by +60 degrees about x" means the same for every joint.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rig:
    """Joints in parent-first order. ``rest`` is (joints, 3) in metres."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Floats
    index: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for joint, parent in enumerate(self.parents):
            if parent >= joint:
                raise ValueError(f"joint {self.names[joint]} comes before its parent")
        self.index.update({name: i for i, name in enumerate(self.names)})

    def scaled(self, factors: Floats) -> Rig:
        """The same rig with every rest position multiplied by ``factors`` (3,)."""
        return Rig(self.names, self.parents, self.rest * factors)


@dataclass(frozen=True)
class Pose:
    """Local rotations (joints, 4) as x, y, z, w; local shifts (joints, 3); and where the whole horse stands.

    ``root`` (3,) and ``turn`` (3x3) place the posed horse in the scene: point -> turn @ point + root.
    """

    rotations: Floats
    shifts: Floats
    root: Floats
    turn: Floats

    def placed(self, position: Floats, heading: float) -> Pose:
        """The pose moved to ``position`` (3,) and turned by ``heading`` radians about the vertical."""
        yaw = Rotation.from_euler("y", heading).as_matrix()
        return Pose(self.rotations, self.shifts, yaw @ self.root + position, yaw @ self.turn)


def rest_pose(rig: Rig) -> Pose:
    """The bind pose, standing at the origin."""
    rotations = np.zeros((len(rig.names), 4))
    rotations[:, 3] = 1.0
    return Pose(rotations, np.zeros((len(rig.names), 3)), np.zeros(3), np.eye(3))


def bend(rig: Rig, pose: Pose, angles: dict[str, tuple[float, float, float]]) -> Pose:
    """Add rotations to named joints: degrees about x (pitch, nose down positive), y (yaw left positive), z (roll)."""
    rotations = pose.rotations.copy()
    for name, degrees in angles.items():
        joint = rig.index[name]
        extra = Rotation.from_euler("yxz", [degrees[1], degrees[0], degrees[2]], degrees=True)
        rotations[joint] = (Rotation.from_quat(rotations[joint]) * extra).as_quat()
    return Pose(rotations, pose.shifts, pose.root, pose.turn)


def blend(first: Pose, second: Pose, share: float) -> Pose:
    """``first`` at share 0, ``second`` at 1, rotations along the shorter way."""
    sign = np.where(np.sum(first.rotations * second.rotations, axis=1, keepdims=True) < 0, -1.0, 1.0)
    rotations = first.rotations * (1 - share) + sign * second.rotations * share
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    turns = Rotation.from_matrix(np.stack([first.turn, second.turn])).as_quat()
    if float(np.dot(turns[0], turns[1])) < 0:
        turns[1] = -turns[1]
    turn = Rotation.from_quat(turns[0] * (1 - share) + turns[1] * share).as_matrix()
    return Pose(
        rotations,
        first.shifts * (1 - share) + second.shifts * share,
        first.root * (1 - share) + second.root * share,
        turn,
    )


def smooth(share: float) -> float:
    """0..1 to 0..1 with a soft start and end."""
    x = min(max(share, 0.0), 1.0)
    return x * x * x * (x * (6 * x - 15) + 10)


def joint_frames(rig: Rig, pose: Pose) -> Floats:
    """World matrices (joints, 4, 4) of every joint."""
    local = Rotation.from_quat(pose.rotations).as_matrix()
    frames = np.zeros((len(rig.names), 4, 4))
    frames[:, 3, 3] = 1.0
    for joint, parent in enumerate(rig.parents):
        if parent < 0:
            frames[joint, :3, :3] = pose.turn @ local[joint]
            frames[joint, :3, 3] = pose.turn @ (rig.rest[joint] + pose.shifts[joint]) + pose.root
        else:
            up = frames[parent, :3, :3]
            frames[joint, :3, :3] = up @ local[joint]
            frames[joint, :3, 3] = up @ (rig.rest[joint] - rig.rest[parent] + pose.shifts[joint]) + frames[parent, :3, 3]
    return frames


def skin_matrices(rig: Rig, pose: Pose) -> Floats:
    """Matrices (joints, 4, 4) that take a point of the rest horse to where it is in this pose."""
    frames = joint_frames(rig, pose)
    out = frames.copy()
    out[:, :3, 3] = frames[:, :3, 3] - np.einsum("jab,jb->ja", frames[:, :3, :3], rig.rest)
    return out


def skin(points: Floats, joints: npt.NDArray[np.int32], weights: Floats, matrices: Floats) -> Floats:
    """Posed positions (n, 3) of rest ``points`` (n, 3) with (n, 4) joints and weights."""
    mixed = np.einsum("nk,nkab->nab", weights, matrices[joints][:, :, :3, :])
    return np.asarray(np.einsum("nab,nb->na", mixed[:, :, :3], points) + mixed[:, :, 3])

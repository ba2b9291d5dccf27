"""Joint angles of a pose, in the plane of the picture."""

from collections.abc import Mapping

import numpy as np

from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton

JOINTS: Mapping[str, tuple[str, str, str]] = {
    "neck": ("throat", "withers", "tail_base"),
    **{
        f"{side}_{joint}": (
            f"{side}_{above}" if above not in {"withers", "tail_base"} else above,
            f"{side}_{at}",
            f"{side}_{below}",
        )
        for side in ("left", "right")
        for joint, above, at, below in (
            ("elbow", "withers", "elbow", "carpus"),
            ("carpus", "elbow", "carpus", "front_hoof"),
            ("stifle", "tail_base", "stifle", "hock"),
            ("hock", "stifle", "hock", "hind_hoof"),
        )
    },
}
"""Joint → the point above, the joint's own and the point below, by their ``horse-20`` names."""


def horse_points(pose: Pose, least: float) -> dict[str, tuple[float, float]]:
    """The points seen with a score of at least ``least``, px, by their ``horse-20`` names whatever the skeleton."""
    skeleton = load_skeleton(pose.skeleton)
    seen = (pose.scores >= least) & np.isfinite(pose.points).all(axis=1)
    return {
        skeleton.equivalents.get(name, name): (float(pose.points[k, 0]), float(pose.points[k, 1]))
        for k, name in enumerate(skeleton.points)
        if seen[k]
    }


def joint_angles(points: Mapping[str, tuple[float, float]]) -> dict[str, float | None]:
    """Angle at each joint in degrees, 0..180 (180: stretched), ``None`` where one of its three points is not seen.

    It is the angle as the camera sees it: true to the joint only for a horse seen from the side.
    """
    found: dict[str, float | None] = {}
    for joint, names in JOINTS.items():
        if any(name not in points for name in names):
            found[joint] = None
            continue
        above, at, below = (np.array(points[name]) for name in names)
        a, b = above - at, below - at
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        found[joint] = None if size < 1e-6 else float(np.degrees(np.arccos(np.clip(float(a @ b) / size, -1, 1))))
    return found

"""The horse-20 skeleton in AnimalPose's order, and the groups figures are given for."""

from __future__ import annotations

POINTS = (
    "left_eye", "right_eye", "nose", "left_ear", "right_ear",
    "left_elbow", "right_elbow", "left_stifle", "right_stifle",
    "left_carpus", "right_carpus", "left_hock", "right_hock",
    "left_front_hoof", "right_front_hoof", "left_hind_hoof", "right_hind_hoof",
    "throat", "withers", "tail_base",
)  # fmt: skip
COUNT = len(POINTS)

PAIRS = tuple(
    (POINTS.index(name), POINTS.index("right_" + name.removeprefix("left_"))) for name in POINTS if name.startswith("left_")
)
"""(left, right) index pairs."""


def _mirror() -> tuple[int, ...]:
    order = list(range(COUNT))
    for left, right in PAIRS:
        order[left], order[right] = right, left
    return tuple(order)


MIRROR = _mirror()
"""Where each point comes from when the picture is mirrored: a mirrored left eye is a right eye."""

GROUPS: dict[str, tuple[int, ...]] = {
    "hooves": (13, 14, 15, 16),
    "carpus_hock": (9, 10, 11, 12),
    "elbow_stifle": (5, 6, 7, 8),
    "head": (0, 1, 2, 3, 4),
    "torso": (17, 18, 19),
}

LEG_PAIRS = ((5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))
"""Pairs that a network confuses between left and right when the horse is seen from the side."""

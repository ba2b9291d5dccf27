"""The pictures between two analysed ones: boxes and key points in between, for smooth playback."""

import numpy as np

from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.time import PTS_HZ

LONGEST_S = 1.0
"""Nothing is made up over a longer time."""


def interpolate(a: Observation, b: Observation, pts: int, longest_s: float = LONGEST_S) -> Observation | None:
    """What is likely seen at media time ``pts`` between two observations of one stream.

    Only tracks seen in both are there, marked ``interpolated``; identity, metrics and colour are those of the nearer
    observation. ``None`` when the two are further apart than ``longest_s`` or ``pts`` is not between them.
    """
    gap = b.pts - a.pts
    if a.stream_id != b.stream_id or (a.width, a.height) != (b.width, b.height):
        return None
    if not 0 < gap <= longest_s * PTS_HZ or not a.pts <= pts <= b.pts:
        return None
    if pts in {a.pts, b.pts}:
        return a if pts == a.pts else b
    share = (pts - a.pts) / gap
    later = {horse.track_id: horse for horse in b.horses}
    horses = tuple(_between(one, later[one.track_id], share) for one in a.horses if one.track_id in later)
    wall_us = a.wall_us + round((b.wall_us - a.wall_us) * share)
    return Observation(a.stream_id, wall_us, pts, a.width, a.height, horses)


def _between(a: HorseObservation, b: HorseObservation, share: float) -> HorseObservation:
    nearer = a if share < 0.5 else b
    return HorseObservation(
        track_id=a.track_id,
        color=nearer.color,
        box=((1 - share) * a.box + share * b.box).astype(np.float32),
        score=(1 - share) * a.score + share * b.score,
        identity=nearer.identity,
        pose=_pose(a.pose, b.pose, share),
        metrics=nearer.metrics,
        interpolated=True,
    )


def _pose(a: Pose | None, b: Pose | None, share: float) -> Pose | None:
    """Points between two poses; a point is as sure as the less sure of the two, so one unseen in either stays unseen."""
    if a is None or b is None or a.skeleton != b.skeleton:
        return None
    points = ((1 - share) * a.points + share * b.points).astype(np.float32)
    return Pose(a.skeleton, points, np.minimum(a.scores, b.scores))

"""Figures of each horse's movement, from picture to picture. See ``docs/design/gait.md``.

Metrics, each ``None`` where it cannot be measured: ``velocity`` (body lengths a second over the ground, in the picture's
plane, so a lower bound for a horse coming or going), ``stride_frequency`` (Hz), ``stride_quality`` (0..1), ``gait`` (index
into ``GAITS``), ``angle_<joint>`` (degrees), ``points_seen`` (share of the skeleton's points).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from barnhand.core.pose import Pose
from barnhand.core.time import SECOND_US
from barnhand.core.track import Track
from barnhand.gait.angles import horse_points, joint_angles
from barnhand.gait.stride import LIMBS, Stride, StrideOptions, stride

Doubles = npt.NDArray[np.float64]
Metrics = dict[str, float | None]

GAITS = ("stand", "walk", "trot", "canter")
"""What the metric ``gait`` counts; canter stands for canter and gallop."""


@dataclass(frozen=True)
class GaitOptions:
    """How movement is measured."""

    least: float = 0.3
    """Score from which a point counts as seen."""
    window_s: float = 4.0
    """The past that stride frequency is told from."""
    speed_s: float = 1.0
    """The past that speed is told from …"""
    speed_least_s: float = 0.3
    """… and the least of it."""
    still: float = 0.2
    """Speed in body lengths / s below which a horse without a stride stands."""
    shortest_stride: float = 0.35
    """Body lengths a stride must carry a horse across the picture; a faster beat is noise, or the horse comes head on."""
    walk_hz: float = 1.07
    """Stride frequency that separates walk from trot …"""
    trot_hz: float = 1.45
    """… and trot from canter."""
    walk_speed: float = 1.3
    """Without a stride frequency, up to this speed in body lengths / s a moving horse walks; faster, nothing is said."""
    trunk: float = 1.5
    """Body length (point of shoulder to point of buttock) over the distance from withers to tail base."""
    box: float = 0.87
    """Body length over the root of the box's area; both measured on horses from the side, see docs/design/gait.md."""
    stride: StrideOptions = field(default_factory=StrideOptions)
    """When a stride frequency can be told."""


@dataclass
class _Sight:
    wall_us: int
    centre: Doubles
    size: float
    trunk: float
    swings: Doubles


class GaitMeter:
    """Measures the horses of one stream. Not shared between threads."""

    def __init__(self, options: GaitOptions | None = None) -> None:
        self._options = options or GaitOptions()
        self._past: dict[int, deque[_Sight]] = {}

    def update(
        self, wall_us: int, tracks: Sequence[Track], poses: Mapping[int, Pose], camera: Doubles | None = None
    ) -> dict[int, Metrics]:
        """Metrics of the tracks seen in this picture.

        ``poses`` are by track id; ``camera`` is the ``(2, 3)`` motion of the picture since the last one, px (none: fixed).
        """
        self._carry(camera)
        found: dict[int, Metrics] = {}
        for track in tracks:
            if not track.seen:
                continue
            points = horse_points(poses[track.track_id], self._options.least) if track.track_id in poses else {}
            past = self._past.setdefault(track.track_id, deque())
            past.append(_sight(wall_us, track, points))
            while wall_us - past[0].wall_us > self._options.window_s * SECOND_US:
                past.popleft()
            found[track.track_id] = self._measure(past, points, poses.get(track.track_id))
        self._forget(wall_us, tracks)
        return found

    def _carry(self, camera: Doubles | None) -> None:
        """Move the past to where its places are in this picture: what is left of the movement is the horse's own."""
        if camera is None or np.array_equal(camera, np.eye(2, 3)):
            return
        for past in self._past.values():
            for sight in past:
                sight.centre = camera[:, :2] @ sight.centre + camera[:, 2]

    def _measure(self, past: "deque[_Sight]", points: Mapping[str, tuple[float, float]], pose: Pose | None) -> Metrics:
        options = self._options
        body = self._body(past)
        speed = self._speed(past, body)
        beat = self._stride(past, speed)
        metrics: Metrics = {
            "velocity": speed,
            "stride_frequency": None if beat is None else beat.hz,
            "stride_quality": None if beat is None else beat.quality,
            "gait": _gait(speed, beat, options),
        }
        if pose is not None:
            metrics["points_seen"] = len(points) / len(pose.scores)
            metrics |= {f"angle_{joint}": angle for joint, angle in joint_angles(points).items()}
        return metrics

    def _body(self, past: "deque[_Sight]") -> float:
        """Body length in px. Trunk and box both look short when a horse turns or is cut off: the longer of them counts."""
        trunks = np.array([sight.trunk for sight in past])
        from_box = float(np.median([sight.size for sight in past])) * self._options.box
        if np.isfinite(trunks).sum() < 3:
            return from_box
        return max(float(np.nanpercentile(trunks, 75)) * self._options.trunk, from_box)

    def _speed(self, past: "deque[_Sight]", body: float) -> float | None:
        now = past[-1].wall_us
        near = [sight for sight in past if now - sight.wall_us <= self._options.speed_s * SECOND_US]
        seconds = np.array([(sight.wall_us - now) / SECOND_US for sight in near])
        if len(near) < 3 or seconds[-1] - seconds[0] < self._options.speed_least_s:
            return None
        slope = np.polyfit(seconds, np.stack([sight.centre for sight in near]), 1)[0]
        return float(np.hypot(slope[0], slope[1])) / max(body, 1.0)

    def _stride(self, past: "deque[_Sight]", speed: float | None) -> Stride | None:
        """The stride of a horse that goes somewhere: pawing and weaving are no strides."""
        now = past[-1].wall_us
        if speed is None or speed < self._options.still:
            return None
        seconds = np.array([(sight.wall_us - now) / SECOND_US for sight in past])
        trunk = np.nanmedian([s.trunk for s in past]) if any(np.isfinite(s.trunk) for s in past) else np.nan
        if not np.isfinite(trunk) or trunk <= 0:
            return None
        swings = np.stack([sight.swings for sight in past]) / (trunk * self._options.trunk)
        beat = stride(seconds, list(swings.T), self._options.stride)
        if beat is None or speed / beat.hz < self._options.shortest_stride:
            return None
        return beat

    def _forget(self, wall_us: int, tracks: Sequence[Track]) -> None:
        living = {track.track_id for track in tracks}
        limit = self._options.window_s * SECOND_US
        for track_id in list(self._past):
            if track_id not in living and wall_us - self._past[track_id][-1].wall_us > limit:
                del self._past[track_id]


def _sight(wall_us: int, track: Track, points: Mapping[str, tuple[float, float]]) -> _Sight:
    box = track.box.astype(np.float64)
    size = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0)))
    swings = np.full(len(LIMBS), np.nan)
    trunk = float("nan")
    if "withers" in points and "tail_base" in points:
        withers, tail = np.array(points["withers"]), np.array(points["tail_base"])
        trunk = float(np.linalg.norm(withers - tail))
        # Seen from the front or behind, the trunk is too short to say which way along the body is.
        if trunk > 0.2 * size:
            along = (withers - tail) / trunk
            middle = (withers + tail) / 2
            for k, limb in enumerate(LIMBS):
                if limb in points:
                    swings[k] = float((np.array(points[limb]) - middle) @ along)
    return _Sight(wall_us, (box[:2] + box[2:]) / 2, size, trunk, swings)


def _gait(speed: float | None, beat: Stride | None, options: GaitOptions) -> float | None:
    if beat is not None:
        return float(1 + (beat.hz >= options.walk_hz) + (beat.hz >= options.trot_hz))
    if speed is None:
        return None
    if speed < options.still:
        return 0.0
    return 1.0 if speed <= options.walk_speed else None

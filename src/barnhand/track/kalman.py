"""Where boxes will be: a Kalman filter a track, all tracks at once.

Each of a box's centre x, centre y, width and height (px) is followed on its own with its velocity (px/s). Velocity is an
Ornstein-Uhlenbeck process: an animal out of sight does not walk on for ever, it slows down with a time constant. Noise is
in units of the box's size, so that near and far animals are treated alike. Time is in seconds and need not be even.

Shapes: ``mean`` is ``(n, 4, 2)`` (value, velocity); ``cov`` is ``(n, 4, 3)`` (var value, covariance, var velocity).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from barnhand.core.geometry import Floats
from barnhand.track.camera import Matrix

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MotionOptions:
    """How animals move, in box sizes (root of area) and seconds."""

    jerkiness: float = 0.6
    """Random acceleration of the centre, sizes / s^1.5."""
    stretch: float = 0.25
    """Random change of width and height, sizes / s^1.5."""
    memory_s: float = 2.5
    """Time constant after which an unseen animal has slowed to 37 %."""
    stretch_memory_s: float = 0.6
    """The same for width and height."""
    noise: float = 0.08
    """Standard deviation of a sure detection's centre and size, in sizes."""
    start_speed: float = 1.0
    """Standard deviation of the speed of a new track, sizes / s."""


def measure(boxes: Floats) -> Doubles:
    """Corner boxes ``(n, 4)`` → centre x, centre y, width, height ``(n, 4)``."""
    b = boxes.astype(np.float64)
    return np.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]], axis=1)


def boxes_of(mean: Doubles) -> Floats:
    """Filter means ``(n, 4, 2)`` → corner boxes ``(n, 4)``; a side is never shorter than 1 px."""
    centre = mean[:, :2, 0]
    half = np.maximum(mean[:, 2:, 0], 1.0) / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def sizes(mean: Doubles) -> Doubles:
    """Root of the area of each box in px, ``(n,)``."""
    return np.asarray(np.sqrt(np.maximum(mean[:, 2, 0], 1.0) * np.maximum(mean[:, 3, 0], 1.0)))


def start(boxes: Floats, options: MotionOptions) -> tuple[Doubles, Doubles]:
    """Filters of new tracks at ``(n, 4)`` boxes, standing still."""
    value = measure(boxes)
    mean = np.stack([value, np.zeros_like(value)], axis=2)
    size2 = sizes(mean)[:, None] ** 2
    cov = np.zeros((len(boxes), 4, 3))
    cov[:, :, 0] = options.noise**2 * size2
    cov[:, :2, 2] = options.start_speed**2 * size2
    cov[:, 2:, 2] = options.stretch**2 * size2
    return mean, cov


def predict(mean: Doubles, cov: Doubles, seconds: float, options: MotionOptions) -> tuple[Doubles, Doubles]:
    """The filters ``seconds`` later."""
    memory = np.array([options.memory_s, options.memory_s, options.stretch_memory_s, options.stretch_memory_s])
    keep = np.exp(-seconds / memory)
    glide = memory * (1 - keep)
    power = np.array([options.jerkiness, options.jerkiness, options.stretch, options.stretch]) ** 2
    q = power * sizes(mean)[:, None] ** 2
    out = np.stack([mean[..., 0] + glide * mean[..., 1], keep * mean[..., 1]], axis=2)
    pp, pv, vv = cov[..., 0], cov[..., 1], cov[..., 2]
    grown = np.stack(
        [
            pp + 2 * glide * pv + glide**2 * vv + q * seconds**3 / 3,
            keep * (pv + glide * vv) + q * seconds**2 / 2,
            keep**2 * vv + q * seconds,
        ],
        axis=2,
    )
    return out, grown


def correct(mean: Doubles, cov: Doubles, boxes: Floats, noise: Doubles) -> tuple[Doubles, Doubles]:
    """The filters after each saw its box: ``boxes`` ``(n, 4)``, ``noise`` ``(n,)`` in box sizes."""
    seen = measure(boxes)
    r = (noise * sizes(mean))[:, None] ** 2
    pp, pv, vv = cov[..., 0], cov[..., 1], cov[..., 2]
    total = pp + r
    gain, gain_v = pp / total, pv / total
    error = seen - mean[..., 0]
    out = np.stack([mean[..., 0] + gain * error, mean[..., 1] + gain_v * error], axis=2)
    shrunk = np.stack([(1 - gain) * pp, (1 - gain) * pv, vv - gain_v * pv], axis=2)
    return out, shrunk


def carry(mean: Doubles, matrix: Matrix) -> Doubles:
    """The filters' means after the camera moved by ``matrix`` ``(2, 3)``; velocities stay those over the ground."""
    turn = matrix[:, :2]
    growth = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    out = mean.copy()
    out[:, :2, 0] = mean[:, :2, 0] @ turn.T + matrix[:, 2]
    out[:, :2, 1] = mean[:, :2, 1] @ turn.T
    out[:, 2:] = mean[:, 2:] * growth
    return out

"""Where boxes will be: a Kalman filter a track, all tracks at once.

Each of a box's centre x, centre y, width and height (px) is followed on its own with its velocity (px/s). Velocity is an
Ornstein-Uhlenbeck process: an animal out of sight does not walk on for ever, it slows down with a time constant. Noise is
in units of the box's size, so that near and far animals are treated alike. Time is in seconds and need not be even.

``filters`` are ``(4, n, 5)``: for each of the four figures and each track its value, velocity, variance of the value,
covariance, variance of the velocity. All five go on linearly, so that one product of matrices predicts every track.
``corners`` are ``(4, n)``: a box a column, ``x0, y0, x1, y1``.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp

import numpy as np
import numpy.typing as npt

from barnhand.core.time import SECOND_US
from barnhand.track.camera import Matrix

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    noise: float = 0.05
    """Standard deviation of a sure detection's centre and size, in sizes."""
    start_speed: float = 1.0
    """Standard deviation of the speed of a new track, sizes / s."""


def none() -> Doubles:
    """No filters."""
    return np.zeros((4, 0, 5))


def measure(corners: Doubles) -> Doubles:
    """Corners ``(4, n)`` → centre x, centre y, width, height ``(4, n)``."""
    low, high = corners[:2], corners[2:]
    return np.concatenate([(low + high) * 0.5, high - low])


def corners_of(filters: Doubles) -> Doubles:
    """Where the filters' boxes are, ``(4, n)``; a side is never shorter than 1 px."""
    centre = filters[:2, :, 0]
    half = np.maximum(filters[2:, :, 0], 1.0) * 0.5
    return np.concatenate([centre - half, centre + half])


def squares(filters: Doubles) -> Doubles:
    """Area of each box in px², ``(n,)``: the square of its size."""
    sides = np.maximum(filters[2:, :, 0], 1.0)
    return np.asarray(sides[0] * sides[1])


def doubt(filters: Doubles) -> Doubles:
    """How far the centre may be from where it is expected, ``(n,)``: a standard deviation in sizes."""
    return np.asarray(np.sqrt(np.maximum(filters[0, :, 2], filters[1, :, 2]) / squares(filters)))


def start(corners: Doubles, options: MotionOptions) -> Doubles:
    """Filters of new tracks at ``(4, n)``, standing still."""
    filters = np.zeros((4, corners.shape[1], 5))
    filters[:, :, 0] = measure(corners)
    square = squares(filters)
    filters[:, :, 2] = options.noise**2 * square
    filters[:2, :, 4] = options.start_speed**2 * square
    filters[2:, :, 4] = options.stretch**2 * square
    return filters


@lru_cache(maxsize=64)
def _step(gap_us: int, options: MotionOptions) -> tuple[Doubles, Doubles]:
    """What ``gap_us`` does to a filter: the matrix ``(4, 5, 5)`` that rows are multiplied by, the noise ``(4, 1, 5)``."""
    s = gap_us / SECOND_US
    onward, grown = np.zeros((4, 5, 5)), np.zeros((4, 1, 5))
    for k in range(4):
        memory, power = (options.memory_s, options.jerkiness) if k < 2 else (options.stretch_memory_s, options.stretch)
        keep = exp(-s / memory)
        glide = memory * (1 - keep)
        onward[k, :2, :2] = np.array([[1.0, 0.0], [glide, keep]])
        onward[k, 2:, 2:] = np.array([[1.0, 0.0, 0.0], [2 * glide, keep, 0.0], [glide**2, glide * keep, keep**2]])
        grown[k, 0, 2:] = np.array([s**3 / 3, s**2 / 2, s]) * power**2
    return onward, grown


def predict(filters: Doubles, gap_us: int, options: MotionOptions) -> Doubles:
    """The filters ``gap_us`` later."""
    onward, grown = _step(gap_us, options)
    return np.asarray(filters @ onward + squares(filters)[:, None] * grown)


def correct(filters: Doubles, corners: Doubles, noise: Doubles) -> Doubles:
    """The filters after each saw its box: ``corners`` ``(4, n)``, ``noise`` ``(n,)`` in box sizes."""
    out = filters.copy()
    gains = out[:, :, 2:4] / (out[:, :, 2] + noise**2 * squares(filters))[:, :, None]
    error = measure(corners) - out[:, :, 0]
    out[:, :, :2] += gains * error[:, :, None]
    out[:, :, 4] -= gains[:, :, 1] * out[:, :, 3]
    out[:, :, 2:4] *= 1.0 - gains[:, :, :1]
    return out


def carry(filters: Doubles, matrix: Matrix) -> Doubles:
    """The filters after the camera moved by ``matrix`` ``(2, 3)``; velocities stay those over the ground."""
    out = filters.copy()
    out[:2, :, :2] = np.tensordot(matrix[:, :2], filters[:2, :, :2], axes=1)
    out[:2, :, 0] += matrix[:, 2:]
    out[2:, :, :2] *= float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return out

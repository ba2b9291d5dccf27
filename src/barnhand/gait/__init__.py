"""How a horse moves: joint angles, speed, strides, and the pictures in between."""

from barnhand.gait.interpolate import interpolate
from barnhand.gait.meter import GAITS, GaitMeter, GaitOptions

__all__ = ["GAITS", "GaitMeter", "GaitOptions", "interpolate"]

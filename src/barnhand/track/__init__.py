"""Follows animals from picture to picture: who is who while they are in sight, and for ten seconds after."""

from barnhand.track.camera import CameraOptions
from barnhand.track.kalman import MotionOptions
from barnhand.track.options import TrackOptions
from barnhand.track.palette import PALETTE
from barnhand.track.tracker import Looker, Tracker

__all__ = ["PALETTE", "CameraOptions", "Looker", "MotionOptions", "TrackOptions", "Tracker"]

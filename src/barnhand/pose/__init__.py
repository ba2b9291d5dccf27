"""A horse's skeleton in a picture."""

from barnhand.pose.estimator import PoseEstimator, PoseOptions

__all__ = ["PoseEstimator", "PoseOptions"]

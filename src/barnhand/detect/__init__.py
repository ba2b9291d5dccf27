"""Where the horses are in a picture."""

from barnhand.detect.detector import DetectOptions, Detector

__all__ = ["DetectOptions", "Detector"]

"""What the YOLO families' adapters share: input size, candidate selection, box formats."""

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.geometry import Floats, clip
from barnhand.networks.pictures import Placement
from barnhand.networks.session import Array, Session, Signature

CELLS_PER_32 = 21
"""Cells a 32 × 32 px patch has on strides 8, 16 and 32: 16 + 4 + 1."""


def one_picture_input(signature: Signature) -> bool:
    """One float input ``(N, 3, H, W)``."""
    if len(signature.inputs) != 1:
        return False
    tensor = signature.inputs[0]
    return tensor.rank == 4 and tensor.size(1) == 3 and tensor.dtype in {"tensor(float)", "tensor(float16)"}


def cells(side: int) -> int:
    """Cells on strides 8, 16 and 32 of a square of ``side`` px."""
    return CELLS_PER_32 * (side // 32) ** 2


def square_side(session: Session, default: int) -> int:
    """Side of the square input. Raises ``ModelError`` for a fixed input that is no square."""
    tensor = session.signature.inputs[0]
    height, width = tensor.size(2), tensor.size(3)
    if height is None or width is None:
        return default
    if height != width:
        raise ModelError(f"{session.name} takes {width} x {height} px; BarnHand wants a square, export it with imgsz={width}")
    return height


def corners(centre_size: Floats) -> Floats:
    """``(m, 4)`` centre x, centre y, width, height → corner boxes."""
    half = centre_size[:, 2:] / 2
    return np.concatenate([centre_size[:, :2] - half, centre_size[:, :2] + half], axis=1)


def select(boxes: Array, scores: Array, fit: Placement, floor: float) -> Detections:
    """Candidates in input px → detections of the picture, cut to it, that score at least ``floor``.

    Boxes that are not finite, inside out or beside the picture are no detections.
    """
    keep = np.flatnonzero(scores >= floor)
    if not len(keep):
        return Detections.none()
    kept = boxes[keep].astype(np.float32)
    finite = np.asarray(np.isfinite(kept).all(axis=1), np.bool_)
    placed = clip(fit.letterbox.to_picture(np.where(finite[:, None], kept, 0)), fit.width, fit.height)
    sound = finite & (placed[:, 2] > placed[:, 0]) & (placed[:, 3] > placed[:, 1])
    return Detections(placed[sound], np.clip(scores[keep][sound], 0, 1).astype(np.float32))

"""SSDLite MobileNet v2 of TensorFlow's detection zoo, converted to ONNX with its own preprocessing inside.

Input uint8 (N, H, W, 3), RGB, any size (the graph resizes to 300 × 300). Outputs: scores (N, M, 91) in the order of the 91
COCO ids with 0 the background, and boxes (N, M, 1, 4) as y0, x0, y1, x1 in 0..1. The horse is column 18; taking the best
class of a row instead would lose grey horses to the sheep.
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.core.geometry import Letterbox
from barnhand.networks.adapter import BoxNetwork, Suppression
from barnhand.networks.detectors.reading import select
from barnhand.networks.pictures import Placement
from barnhand.networks.session import Array, Session, Signature

HORSE = 18
"""COCO's id of the horse."""


class Ssdlite(BoxNetwork):
    """SSDLite with the boxes of all anchors as outputs."""

    family = "ssdlite"
    suppression = Suppression(iou=0.6)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        outputs = session.signature.outputs
        self._boxes = next(i for i, tensor in enumerate(outputs) if tensor.rank == 4)
        self._scores = 1 - self._boxes

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """Bytes in, one output of rank 3 and one of rank 4 out."""
        if len(signature.inputs) != 1 or len(signature.outputs) != 2:
            return False
        tensor = signature.inputs[0]
        picture = tensor.dtype == "tensor(uint8)" and tensor.rank == 4 and tensor.size(3) == 3
        return picture and {output.rank for output in signature.outputs} == {3, 4}

    def candidates(self, images: Sequence[Image], floor: float) -> list[Detections]:
        """Pictures of one size go in together, others one by one: the input has no border to even them out."""
        if len({image.shape for image in images}) <= 1:
            return super().candidates(images, floor)
        return [found for image in images for found in super(Ssdlite, self).candidates([image], floor)]

    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """RGB bytes; the boxes come back as fractions, so nothing is scaled here."""
        batch = np.stack([image[..., ::-1] for image in images])
        return batch, [Placement(Letterbox(1.0), image.shape[1], image.shape[0]) for image in images]

    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """Fractions of the picture to px."""
        found = []
        for scores, boxes, fit in zip(outputs[self._scores], outputs[self._boxes], fits, strict=True):
            corner = boxes.reshape(-1, 4)[:, [1, 0, 3, 2]] * fit.size
            found.append(select(corner, scores[:, HORSE], fit, floor))
        return found

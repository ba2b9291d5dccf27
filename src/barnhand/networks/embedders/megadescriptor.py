"""MegaDescriptor-T-224: a Swin-T trained to tell individual animals of many kinds apart, exported to ONNX.

Čermák et al., "WildlifeDatasets", WACV 2024. Its publishers give PyTorch weights only; export them with
``torch.onnx.export`` and bring the file in with ``barnhand models add``. Input float32 (N, 3, 224, 224), RGB scaled to
-1..1 (mean and standard deviation 0.5, as the model card says), the box stretched to the square; output (N, 768).
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.networks.adapter import EmbedNetwork
from barnhand.networks.pictures import planes, stretched
from barnhand.networks.session import Array, Session, Signature

HALF = (127.5, 127.5, 127.5)


class MegaDescriptor(EmbedNetwork):
    """Any of the family with a square input and one vector out."""

    family = "megadescriptor"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.side = session.signature.inputs[0].size(2) or 224
        self.size = session.signature.outputs[0].size(1) or 768

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One picture in, one vector of 768 out, and not one of BarnHand's own."""
        if len(signature.inputs) != 1 or len(signature.outputs) != 1 or "barnhand.family" in signature.metadata:
            return False
        picture, vector = signature.inputs[0], signature.outputs[0]
        return picture.rank == 4 and picture.size(1) == 3 and vector.rank == 2 and vector.size(1) == 768

    def preprocess(self, image: Image, boxes: Floats) -> Array:
        """RGB planes of the stretched boxes."""
        return planes(stretched(image, boxes, self.side, self.side), rgb=True, mean=HALF, std=HALF)

    def postprocess(self, outputs: Sequence[Array]) -> Floats:
        """Rows scaled to unit length."""
        return unit(outputs[0])


def unit(rows: Array) -> Floats:
    """Rows of length one; a row of zeros stays."""
    values = np.asarray(rows, np.float32)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1), np.float32)

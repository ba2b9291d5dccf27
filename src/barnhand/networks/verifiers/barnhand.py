"""BarnHand's own verifier: the crop of a box to how sure it is that the box shows a horse.

Input ``crops`` float32 (N, 3, H, W), RGB 0..255, the box stretched; output ``horse``
(N,), the logit of a horse against any other animal, a person, or nothing.
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.networks.adapter import VerifyNetwork
from barnhand.networks.pictures import planes, stretched
from barnhand.networks.session import Array, Session, Signature

FAMILY = "barnhand-verifier"


class BarnHandVerifier(VerifyNetwork):
    """The embedded verifier, or one fine-tuned from it."""

    family = FAMILY

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        picture = session.signature.inputs[0]
        height, width = picture.size(2), picture.size(3)
        if height is None or width is None:
            raise ModelError(f"{session.name} does not say how large its crops are; export it again")
        self.height, self.width = height, width

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One crop in, one number out, and the family's name."""
        return (
            signature.metadata.get("barnhand.family") == FAMILY
            and len(signature.inputs) == len(signature.outputs) == 1
            and signature.inputs[0].rank == 4
            and signature.outputs[0].rank == 1
        )

    def preprocess(self, image: Image, boxes: Floats) -> Array:
        """RGB planes of the stretched boxes, 0..255."""
        return planes(stretched(image, boxes, self.width, self.height), rgb=True)

    def postprocess(self, outputs: Sequence[Array]) -> Floats:
        """Logits as they are."""
        return np.asarray(outputs[0], np.float32)

"""BarnHand's own appearance network: a crop of a horse to a unit vector.

Input ``crops`` float32 (N, 3, H, W), RGB 0..255; output ``embedding`` (N, 256), rows of length one. Metadata:
``barnhand.crop`` = ``{"kind": "square" | "stretch", "scale", "border"}`` says how the box is cut, ``barnhand.distances``
what the similarities of the same and of different horses were on held-out data.
"""

from collections.abc import Sequence

from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.networks.adapter import EmbedNetwork, json_metadata
from barnhand.networks.embedders.megadescriptor import unit
from barnhand.networks.pictures import GREY, planes, square_crops, stretched
from barnhand.networks.session import Array, Session, Signature

FAMILY = "barnhand-embedder"


class BarnHandEmbedder(EmbedNetwork):
    """The embedded appearance network, or one fine-tuned from it."""

    family = FAMILY

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        picture = session.signature.inputs[0]
        self.height, self.width = picture.size(2) or 224, picture.size(3) or 224
        self.size = session.signature.outputs[0].size(1) or 256
        crop = json_metadata(session, "barnhand.crop")
        self._kind = str(crop.get("kind", "square"))
        if self._kind not in {"square", "stretch"} or (self._kind == "square" and self.height != self.width):
            raise ModelError(f"{session.name} wants {crop} crops, which this BarnHand does not know; update BarnHand")
        self._scale, self._border = float(crop.get("scale", 1.0)), int(crop.get("border", GREY))
        self.distances = json_metadata(session, "barnhand.distances")

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One crop in, one vector out, and the family's name."""
        return (
            signature.metadata.get("barnhand.family") == FAMILY
            and len(signature.inputs) == 1
            and len(signature.outputs) == 1
            and signature.inputs[0].rank == 4
            and signature.outputs[0].rank == 2
        )

    def preprocess(self, image: Image, boxes: Floats) -> Array:
        """RGB planes of the crops, 0..255."""
        if self._kind == "stretch":
            return planes(stretched(image, boxes, self.width, self.height), rgb=True)
        return planes(square_crops(image, boxes, self._scale, self.width, self._border).pixels, rgb=True)

    def postprocess(self, outputs: Sequence[Array]) -> Floats:
        """Rows, made unit length again after int8."""
        return unit(outputs[0])

"""BarnHand's own detector: one class, boxes decoded inside the graph.

Input ``images`` float32 (N, 3, H, W), BGR 0..255, letterboxed top-left on grey 114; outputs ``boxes`` (N, M, 4) corners in
input px and ``scores`` (N, M). Metadata: ``barnhand.threshold``, ``barnhand.nms`` = ``{"kind": "hard" | "soft", "iou",
"sigma", "floor", "limit", "vote"}``, and ``barnhand.area``: the input is a rectangle of the picture's shape and of at most
that many px. A file without it takes squares.
"""

from collections.abc import Sequence

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.networks.adapter import BoxNetwork, Suppression, float_metadata, json_metadata
from barnhand.networks.detectors.reading import one_picture_input, select, square_side
from barnhand.networks.pictures import COARSEST, Placement, letterbox, planes, rectangle
from barnhand.networks.session import Array, Session, Signature

FAMILY = "barnhand-detector"


class BarnHandDetector(BoxNetwork):
    """The embedded horse detector, or one fine-tuned from it."""

    family = FAMILY

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.area = int(float_metadata(session, "barnhand.area", 0))
        if self.area and self.area < COARSEST**2:
            raise ModelError(f"{session.name} asks for inputs of {self.area} px, too few to see anything; export it again")
        self.side = 0 if self.area else square_side(session, 416)
        self.threshold = float_metadata(session, "barnhand.threshold", BoxNetwork.threshold)
        self.suppression = _suppression(session)
        names = [tensor.name for tensor in session.signature.outputs]
        self._boxes, self._scores = names.index("boxes"), names.index("scores")

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """Named outputs ``boxes`` and ``scores``, and the family's name."""
        return (
            signature.metadata.get("barnhand.family") == FAMILY
            and one_picture_input(signature)
            and {"boxes", "scores"} <= {tensor.name for tensor in signature.outputs}
        )

    def shape(self, image: Image) -> tuple[int, int]:
        """Width and height in px of the input that shows this picture best."""
        height, width = image.shape[:2]
        return rectangle(width, height, self.area) if self.area else (self.side, self.side)

    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """Letterboxed BGR planes, 0..255, in the shape of the first picture's input."""
        inputs, fits = zip(*(letterbox(image, *self.shape(images[0])) for image in images), strict=True)
        return planes(inputs, rgb=False), list(fits)

    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """Corner boxes as they are."""
        pairs = zip(outputs[self._boxes], outputs[self._scores], fits, strict=True)
        return [select(boxes, scores, fit, floor) for boxes, scores, fit in pairs]

    def candidates(self, images: Sequence[Image], floor: float) -> list[Detections]:
        """All three steps for any number of pictures, those of one shape together."""
        groups: dict[tuple[int, int], list[int]] = {}
        for index, image in enumerate(images):
            groups.setdefault(self.shape(image), []).append(index)
        found = [Detections.none()] * len(images)
        for indices in groups.values():
            alike = super().candidates([images[index] for index in indices], floor)
            for index, detections in zip(indices, alike, strict=True):
                found[index] = detections
        return found


def _suppression(session: Session) -> Suppression:
    data = json_metadata(session, "barnhand.nms")
    kind = data.get("kind", "hard")
    if kind not in {"hard", "soft"}:
        raise ModelError(f"{session.name} wants {kind!r} suppression, which this BarnHand does not know; update BarnHand")
    usual = Suppression()
    try:
        sigma = float(data.get("sigma", data.get("soft", 0.5))) if kind == "soft" else 0.0
        return Suppression(
            iou=float(data.get("iou", usual.iou)),
            sigma=sigma,
            floor=float(data.get("floor", usual.floor)),
            limit=int(data.get("limit", usual.limit)),
            vote=float(data.get("vote", usual.vote)),
        )
    except (TypeError, ValueError) as error:
        raise ModelError(f"{session.name}: its metadata barnhand.nms cannot be used ({error}); export it again") from error

"""BarnHand's own detector: one class, boxes decoded inside the graph, and a second, closer look where it saw something.

Input ``images`` float32 (N, 3, H, W), BGR 0..255, letterboxed top-left on grey 114; outputs ``boxes`` (N, M, 4) corners in
input px and ``scores`` (N, M). Metadata: ``barnhand.threshold``; ``barnhand.nms`` = ``{"kind": "hard" | "soft", "iou",
"sigma", "floor", "limit", "vote"}``; ``barnhand.area``: the input is a rectangle of the picture's shape and of at most that
many px, a file without it takes squares; ``barnhand.closer``: the fields of ``Closer``, a file without it looks once;
``barnhand.shift``: added to the scores' logits at the end; ``barnhand.verify``: the fields of ``Verification``.
"""

import math
from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats, Window
from barnhand.networks.adapter import BoxNetwork, Suppression, Verification, fields, float_metadata, json_metadata
from barnhand.networks.detectors.closer import Closer, agreed, best, window
from barnhand.networks.detectors.reading import one_picture_input, select, square_side
from barnhand.networks.pictures import COARSEST, Placement, letterbox, planes, rectangle
from barnhand.networks.session import Array, Session, Signature

FAMILY = "barnhand-detector"
LOOKED_AT = 0.01
"""Least score of what one look tells the other: below it counts as unseen anyway."""


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
        self.shift = float_metadata(session, "barnhand.shift", 0)
        self.suppression = _suppression(session)
        self.closer = fields(session, "barnhand.closer", Closer) if self.area else None
        self.verification = fields(session, "barnhand.verify", Verification)
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
        """All three steps for any number of pictures, those of one shape together, and for each its second look."""
        groups: dict[tuple[int, int], list[int]] = {}
        for index, image in enumerate(images):
            groups.setdefault(self.shape(image), []).append(index)
        found = [Detections.none()] * len(images)
        for indices in groups.values():
            alike = super().candidates([images[index] for index in indices], min(floor, LOOKED_AT))
            for index, detections in zip(indices, alike, strict=True):
                found[index] = detections
        if self.closer is not None:
            found = [self._again(image, best(seen), self.closer) for image, seen in zip(images, found, strict=True)]
        shifted = [Detections(seen.boxes, moved(seen.scores, self.shift)) for seen in found]
        return [seen[seen.scores >= floor] for seen in shifted]

    def _again(self, image: Image, first: Detections, how: Closer) -> Detections:
        height, width = image.shape[:2]
        where = window(first, how, width, height)
        second = Detections.none() if where is None else best(self._look(image, where, how))
        return agreed(first, second, where, (width, height), how)

    def _look(self, image: Image, where: Window, how: Closer) -> Detections:
        """What is seen in a window, in px of the picture; the window is looked at mirrored."""
        part = where.of(image)
        height, width = part.shape[:2]
        across, down = rectangle(width, height, how.area)
        most = how.zoom * min(s / own for s, own in zip(self.shape(image), image.shape[1::-1], strict=True))
        if min(across / width, down / height) > most:
            across, down = (COARSEST * math.ceil(side * most / COARSEST) for side in (width, height))
        canvas, fit = letterbox(part, across, down)
        outputs = self.infer(planes([canvas[:, ::-1]], rgb=False))
        boxes = outputs[self._boxes][0]
        outputs[self._boxes] = np.stack([across - boxes[:, 2], boxes[:, 1], across - boxes[:, 0], boxes[:, 3]], axis=1)[None]
        (found,) = self.postprocess(outputs, [fit], LOOKED_AT)
        return Detections(where.to_picture(found.boxes), found.scores)


def moved(scores: Floats, shift: float) -> Floats:
    """Scores (n,) with ``shift`` added to their logits."""
    if not shift:
        return scores
    odds = scores / np.maximum(1 - scores, 1e-6) * np.float32(math.exp(shift))
    return np.asarray(odds / (1 + odds), np.float32)


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

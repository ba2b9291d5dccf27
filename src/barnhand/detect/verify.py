"""A third look, at single boxes: is that a horse at all?

A detector small enough for every picture takes a smooth-coated dog in profile for a horse now and then, and is unsure of a
foal in high grass. Of the boxes it is unsure of there are few, so a verifier looks at each of them alone and large, and the
score becomes what both say together. A box the detector is sure of is left alone: it costs nothing. So is a box of which
half lies in a better one: that is most often a part of the same horse, and a part of a horse is horse to a verifier.
"""

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats, area, intersection
from barnhand.networks.adapter import Verification, VerifyNetwork

PART = 0.5
"""Share of a box in a better one from which it is a part of that."""


def verified(image: Image, found: Detections, verifier: VerifyNetwork, how: Verification) -> Detections:
    """The boxes with the scores of those in doubt changed, best first."""
    unsure = (found.scores >= how.low) & (found.scores < how.high) & (within_better(found) <= PART)
    if not unsure.any():
        return found
    said = np.clip(verifier.logits(image, found.boxes[unsure]), -how.most, how.most)
    before = np.clip(found.scores[unsure], 1e-6, 1 - 1e-6)
    scores = found.scores.copy()
    scores[unsure] = 1 / (1 + np.exp(-(np.log(before / (1 - before)) + how.weight * said)))
    return Detections(found.boxes, scores)[np.argsort(-scores, kind="stable")]


def within_better(found: Detections) -> Floats:
    """The largest share of each box that lies in one with a better score, ``(n,)`` in 0..1."""
    shares = intersection(found.boxes, found.boxes) / np.maximum(area(found.boxes), 1e-6)[:, None]
    better = found.scores[None, :] > found.scores[:, None]
    return np.asarray(np.where(better, shares, 0).max(axis=1, initial=0), np.float32)

"""Every family BarnHand can run, and which one a file is of."""

from barnhand.core.errors import ModelError
from barnhand.networks.adapter import Network
from barnhand.networks.detectors.barnhand import BarnHandDetector
from barnhand.networks.detectors.ssdlite import Ssdlite
from barnhand.networks.detectors.yolo11 import Yolo11
from barnhand.networks.detectors.yolov5 import Yolov5
from barnhand.networks.detectors.yolox import Yolox
from barnhand.networks.embedders.barnhand import BarnHandEmbedder
from barnhand.networks.embedders.megadescriptor import MegaDescriptor
from barnhand.networks.poses.barnhand import BarnHandPose
from barnhand.networks.poses.rtmpose import RtmPose
from barnhand.networks.session import Session, Signature
from barnhand.networks.verifiers.barnhand import BarnHandVerifier

FAMILIES: tuple[type[Network], ...] = (
    BarnHandDetector,
    Yolox,
    Ssdlite,
    Yolo11,
    Yolov5,
    BarnHandPose,
    RtmPose,
    BarnHandEmbedder,
    MegaDescriptor,
    BarnHandVerifier,
)


def recognise(signature: Signature) -> type[Network] | None:
    """The family a signature is of, or ``None``."""
    return next((family for family in FAMILIES if family.matches(signature)), None)


def adapt(session: Session) -> Network:
    """The adapter for a loaded file. Raises ``ModelError`` when BarnHand knows no such family."""
    family = recognise(session.signature)
    if family is None:
        known = ", ".join(item.family for item in FAMILIES)
        raise ModelError(
            f"{session.name} is of no family BarnHand can run: it is {session.signature.describe()}; the families are {known}"
        )
    return family(session)

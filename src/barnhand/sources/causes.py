"""Errors of FFmpeg and the operating system as causes with a sentence a stable owner can act on.

FFmpeg's own messages hold the address it was given, password included, so none of them is ever passed on.
"""

import errno
import re

import av

from barnhand.core.errors import SourceError
from barnhand.core.stream import Cause

_UNREACHABLE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_BROKEN = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.EIO}


def safe_url(url: str) -> str:
    """An address without user, password and query (cameras take passwords there too), for messages and logs."""
    return re.sub(r"//[^/@]*@", "//", url).partition("?")[0]


def refusal(error: BaseException, shown: str, open_s: float, waited_s: float = 0.0) -> SourceError:
    """Why an address could not be opened after ``waited_s``. ``shown`` is the address without a password."""
    number = getattr(error, "errno", None)
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        message = f"{shown} refuses the user name or password; enter them again"
        return SourceError(message, Cause.WRONG_PASSWORD)
    if isinstance(error, (av.error.HTTPNotFoundError, av.error.FileNotFoundError)):
        message = f"there is no video at {shown}; check the path after the camera's name"
        return SourceError(message, Cause.NOT_FOUND)
    # FFmpeg calls an RTSP answer that never came "invalid data": only the time spent tells it from a wrong answer.
    hung = isinstance(error, av.error.InvalidDataError) and waited_s >= 0.9 * open_s
    if hung or isinstance(error, (av.error.TimeoutError, av.error.ExitError)) or number == errno.ETIMEDOUT:
        message = f"{shown} did not answer within {open_s:g} s; check that the camera is on and the address is right"
        return SourceError(message, Cause.TIMED_OUT)
    if number in _UNREACHABLE or number in _BROKEN:
        message = f"{shown} cannot be reached; check the address, the port and the network cable"
        return SourceError(message, Cause.UNREACHABLE)
    if isinstance(error, (av.error.HTTPServerError, av.error.EOFError)):
        message = f"{shown} answers with an error of its own; restart the camera or its server"
        return SourceError(message, Cause.UNREACHABLE)
    if isinstance(error, (av.error.ProtocolNotFoundError, av.error.DemuxerNotFoundError, av.error.PatchWelcomeError)):
        return SourceError(f"{shown} is a kind of address BarnHand does not read", Cause.NOT_VIDEO)
    message = f"{shown} does not send video BarnHand understands; check that it is a video address"
    return SourceError(message, Cause.NOT_VIDEO)


def interruption(error: BaseException, shown: str, stall_s: float) -> SourceError:
    """Why packets stopped coming."""
    if isinstance(error, (av.error.TimeoutError, av.error.ExitError)) or getattr(error, "errno", None) == errno.ETIMEDOUT:
        return stalled(shown, stall_s)
    if isinstance(error, av.error.InvalidDataError):
        return SourceError(f"{shown} sends damaged video; it is connected anew", Cause.DAMAGED)
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return refusal(error, shown, stall_s)
    return SourceError(f"the connection to {shown} broke; it is connected anew", Cause.UNREACHABLE)


def stalled(shown: str, stall_s: float) -> SourceError:
    """No video for too long on a connection that is open."""
    return SourceError(f"no picture from {shown} for {stall_s:g} s; it is connected anew", Cause.STALLED)

"""Around every answer: security headers, figures, a limit to what a client may send."""

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from barnhand.api import page
from barnhand.api.metrics import Metrics

LARGEST_BODY = 1 << 20
_TOO_LARGE = (
    b'{"type":"about:blank","title":"Content Too Large","status":413,"detail":"The body is larger than 1 MiB.","errors":[]}'
)


class Envelope:
    """ASGI middleware; WebSockets pass through."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in page.HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                # A body without a length that goes on for ever: as if the client had left.
                return {"type": "http.disconnect"}
            return message

        length = Headers(scope=scope).get("content-length", "0")
        try:
            if length.isdigit() and int(length) > LARGEST_BODY:
                await answer(
                    {"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"application/problem+json")]}
                )
                await answer({"type": "http.response.body", "body": _TOO_LARGE})
            else:
                await self._app(scope, limited, answer)
        finally:
            self._metrics.answered(pattern(scope), scope["method"], status, time.perf_counter() - began)


def pattern(scope: Scope) -> str:
    """The route an address went to, such as ``/v1/streams/{stream_id}``: an id in a label would make a figure of each."""
    params = scope.get("path_params")
    if params is None:
        return "none"
    if "path" in params:
        return "page"
    names = {str(value): name for name, value in params.items()}
    return "/".join(f"{{{names[part]}}}" if part in names else part for part in scope["path"].split("/"))

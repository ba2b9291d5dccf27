"""A file server that misbehaves as told, and a proxy, on loopback."""

import base64
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class FileServer:
    """Serves ``content`` at every path. ``breaks`` are the bytes after which the connections close, one entry a request."""

    content: bytes
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(dict(handler.headers.items()))
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = 0
        wanted = handler.headers.get("Range", "")
        if self.ranges and wanted.startswith("bytes="):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.content):
                handler.send_error(416)
                return
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body)))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        handler.end_headers()
        if self.breaks:
            handler.wfile.write(body[: self.breaks.pop(0)])
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            handler.wfile.write(body)


@dataclass
class Proxy:
    """Forwards GET and CONNECT; ``password`` is what it wants as ``user:password``."""

    password: str | None = None
    seen: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.seen.append(f"{handler.command} {handler.path}")
        if self.password is not None:
            token = base64.b64encode(self.password.encode()).decode()
            if handler.headers.get("Proxy-Authorization") != f"Basic {token}":
                handler.send_response(407)
                handler.send_header("Proxy-Authenticate", 'Basic realm="stable"')
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
        address = handler.path if handler.command == "CONNECT" else urlsplit(handler.path).netloc
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), 5) as far:
            if handler.command == "CONNECT":
                handler.send_response(200)
                handler.end_headers()
                _tunnel(handler.connection, far)
            else:
                path = urlsplit(handler.path).path
                headers = "".join(f"{k}: {v}\r\n" for k, v in handler.headers.items() if not k.startswith("Proxy-"))
                far.sendall(f"GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode())
                while block := far.recv(1 << 16):
                    handler.connection.sendall(block)
        handler.close_connection = True


def _tunnel(a: socket.socket, b: socket.socket) -> None:
    while True:
        for ready in select.select([a, b], [], [], 5)[0] or [None]:
            block = ready.recv(1 << 16) if ready else b""
            if not block:
                return
            (b if ready is a else a).sendall(block)


@contextmanager
def serving(what: "FileServer | Proxy", tls: Any = None) -> "Iterator[Any]":
    """``what`` on a free port of loopback, its ``url`` set; with ``tls``, an ``ssl.SSLContext``, over HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            what.answer(self)

        do_CONNECT = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    what.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield what
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A web server for what the sources read over HTTP, and a proxy that leads any address to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def web(folder: Path, refused: frozenset[str] = frozenset()) -> Iterator[str]:
    """Serves ``folder``; paths in ``refused`` are answered with 403. An absolute address, as a proxy is asked for, is cut."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def send_head(self) -> Any:
            self.path = urlsplit(self.path).path
            if self.path in refused:
                return self.send_error(403)
            return super().send_head()

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

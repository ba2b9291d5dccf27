"""The built page, and the headers that keep a browser to it."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response

from barnhand.api.problems import ProblemError

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # The one-time link's token is in the page's address: it must not travel on.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NOT_PAGE = ("v1/", "ws/")


def install(app: FastAPI, folder: Path) -> None:
    """Serve ``folder``: its files as they are, every other address as ``index.html``, which finds its way itself."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith(NOT_PAGE):
            raise ProblemError(404, "there is nothing at this address")
        root = folder.resolve()
        file = (root / path).resolve()
        if path and file.is_relative_to(root) and file.is_file():
            # Vite puts a hash into the names under assets/, so they never change.
            caching = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return FileResponse(file, headers={"Cache-Control": caching})
        index = root / "index.html"
        if path.startswith("assets/"):
            raise ProblemError(404, "there is nothing at this address; reload the page")
        if not index.is_file():
            return PlainTextResponse("The page is not built; run make web, or use the api under /v1.\n", 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

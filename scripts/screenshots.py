"""Make the pictures of the README from the real page: real cameras, real recordings, real analysis.

    python scripts/screenshots.py [--videos ../shared/data/video] [--out docs/images]

Runs BarnHand on the demo cameras, and on the given videos where they are, waits until horses are seen, and looks.
"""

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.flow import CHROMIUM, FLAGS
from benchmarks.yard import PASSWORD, Cameras, Yard, until
from playwright.sync_api import Page, TimeoutError, sync_playwright

from barnhand.cli.demo import TITLES
from barnhand.demo import films


def settle(page: Page) -> None:
    """Wait until the page shows pictures with an overlay; an aisle nobody is in has none for a while."""
    with suppress(TimeoutError):
        page.wait_for_function(
            "() => window.__barnhand && window.__barnhand.frames().length > 150"
            " && window.__barnhand.frames().slice(-20).every(f => f.drawnPts !== null)",
            timeout=25_000,
        )
    page.wait_for_timeout(300)


def slug(title: str) -> str:
    """A title as a file name."""
    return title.lower().replace(",", "").replace(" ", "-")


def main() -> None:
    """Start, wait, look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, default=Path("../shared/data/video"))
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = {TITLES[film.name]: film.video for film in films()}
    for title, name in (("Loose in the paddock", "paddock_trot"), ("Herd", "herd_beach"), ("Pony lying", "pony_lying")):
        if (path := arguments.videos / f"{name}.mp4").is_file():
            names[title] = path
    served = {slug(title): path for title, path in names.items()}
    cameras = Cameras(served)
    cameras.start()
    with tempfile.TemporaryDirectory(prefix="barnhand-look-") as scratch:
        Path(scratch).chmod(0o755)
        with Yard(Path(scratch) / "data", {"BARNHAND_MIN_FREE_GB": "0"}) as yard, sync_playwright() as playwright:
            ids = {title: yard.add(title, cameras.url(slug(title))) for title in names}
            for title, stream_id in ids.items():
                if title in set(TITLES.values()):
                    continue
                seen = lambda stream_id=stream_id: yard.client.get("/v1/detections", params={"stream_id": stream_id}).json()  # noqa: E731
                until(seen, 120, f"a horse on {title}")
            time.sleep(20)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for device, size in (("phone", (390, 844)), ("desktop", (1440, 900))):
                page = browser.new_page(viewport={"width": size[0], "height": size[1]}, base_url=yard.address)
                page.request.post("/v1/session", data={"email": "owner@yard.example", "password": PASSWORD})
                page.goto("/")
                for stream_id in ids.values():
                    yard.client.post(f"/v1/streams/{stream_id}/start")
                page.wait_for_timeout(8000)
                page.screenshot(path=arguments.out / f"wall-{device}.png")
                for title, stream_id in ids.items():
                    # One at a time, so that a small machine analyses it at its full rate.
                    for other in ids.values():
                        yard.client.post(f"/v1/streams/{other}/{'start' if other == stream_id else 'stop'}")
                    page.goto(f"/cameras/{stream_id}")
                    settle(page)
                    page.screenshot(path=arguments.out / f"{slug(title)}-{device}.png")
                page.close()
            browser.close()
    cameras.stop()


if __name__ == "__main__":
    main()

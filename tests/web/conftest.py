from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.servers import HubServer
from tests.web.target import Clip, encode, load
from tests.web.yard import EMAIL, PASSWORD, Yard, chromium

import barnhand.api

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium; install it or name one in BARNHAND_TEST_CHROMIUM")
    if not (Path(barnhand.api.__file__).parent / "static" / "index.html").is_file():
        pytest.skip("the page is not built; run npm run build in web/")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return load(encode(Path(tmp_path_factory.mktemp("clip")) / "target.mp4"))


@pytest.fixture(scope="session")
def hevc_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same target in H.265, which Debian's Chromium does not play."""
    return encode(Path(tmp_path_factory.mktemp("clip")) / "target.mp4", "libx265")


@pytest.fixture
def yard(database_url: str, hub_server: HubServer, tmp_path: Path) -> Iterator[Yard]:
    made = Yard(database_url, hub_server.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def context(browser: Browser, yard: Yard) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=DESKTOP, base_url=yard.url, locale="en-GB", timezone_id="Europe/Berlin")
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Nobody is signed in yet. A script that fails, fails the test at its end."""
    made = context.new_page()
    thrown: list[str] = []
    made.on("pageerror", lambda error: thrown.append(str(error)))
    yield made
    assert thrown == []


@pytest.fixture
def inside(page: Page, yard: Yard) -> Page:
    """An administrator is signed in and stands before the wall."""
    yard.person()
    page.goto("/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Cameras").wait_for()
    return page

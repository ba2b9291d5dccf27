import re

import pytest
from playwright.sync_api import Page, expect
from tests.web.conftest import PHONE
from tests.web.target import Clip
from tests.web.yard import Yard

from barnhand.core.stream import Cause, Status

pytestmark = pytest.mark.browser


def tile(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name))


def test_each_tile_says_how_its_camera_is_and_who_is_there(inside: Page, yard: Yard, clip: Clip) -> None:
    yard.camera(yard.stream("Foaling box"), clip)
    refused = yard.stream("Paddock")
    yard.tell(refused, Cause.WRONG_PASSWORD)
    yard.stream("Yard", status=Status.INACTIVE)
    inside.reload()
    expect(tile(inside, "Foaling box")).to_contain_text("Live")
    expect(tile(inside, "Foaling box").get_by_role("list", name="In sight")).to_have_text("Bella")
    expect(tile(inside, "Paddock")).to_contain_text("Wrong password")
    expect(tile(inside, "Paddock")).to_contain_text("Correct them in its settings")
    expect(tile(inside, "Yard")).to_contain_text("Stopped")
    expect(inside.get_by_text("1 of 3 running · 1 needs a look")).to_be_visible()


def test_a_tile_shows_the_newest_picture_again_and_again(inside: Page, yard: Yard, clip: Clip) -> None:
    yard.camera(yard.stream("Foaling box"), clip)
    inside.reload()
    picture = tile(inside, "Foaling box").get_by_role("img", name="Newest picture of Foaling box")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0
    first = picture.get_attribute("src")
    expect(picture).not_to_have_attribute("src", first or "")


def test_a_camera_that_never_recorded_is_asked_for_no_picture(inside: Page, yard: Yard, clip: Clip) -> None:
    inside.goto("about:blank")
    refused, recorded = yard.stream("Paddock"), yard.stream("Yard", status=Status.INACTIVE)
    yard.history(recorded, clip, start_us=(yard.clock.wall_us() // 1_000_000 - 300) * 1_000_000, chunks=1)
    yard.tell(refused, Cause.WRONG_PASSWORD)
    asked: list[str] = []
    inside.on("request", lambda request: asked.append(request.url) if "snapshot" in request.url else None)
    inside.goto("/")
    expect(tile(inside, "Paddock")).to_contain_text("Wrong password")
    expect(tile(inside, "Yard").get_by_role("img", name="Newest picture of Yard")).to_be_visible(timeout=15_000)
    assert [url for url in asked if refused in url] == []


def test_a_tile_goes_live_while_the_pointer_rests_on_it(inside: Page, yard: Yard, clip: Clip) -> None:
    yard.camera(yard.stream("Foaling box"), clip)
    inside.reload()
    expect(tile(inside, "Foaling box")).to_contain_text("Live")
    tile(inside, "Foaling box").hover()
    expect(inside.locator("video")).to_have_count(1)
    inside.wait_for_function("() => window.__barnhand.frames().length > 10", timeout=20_000)
    inside.get_by_role("heading", name="Cameras").hover()
    expect(inside.locator("video")).to_have_count(0)


def test_a_camera_is_added_stopped_started_renamed_and_removed(inside: Page, yard: Yard) -> None:
    inside.get_by_role("button", name="Add the first camera").click()
    dialog = inside.get_by_role("dialog", name="Add a camera")
    dialog.get_by_label("Name", exact=True).fill("Hay barn")
    dialog.get_by_label("Address").fill("rtsp://127.0.0.1:9/none")
    dialog.get_by_label("User name").fill("admin")
    dialog.get_by_label("Password").fill("a camera's own")
    dialog.get_by_role("button", name="Add and start").click()
    expect(dialog).to_have_count(0)
    [added] = yard.store.streams.all()
    assert (added.name, added.source_url, added.status, added.has_secret) == (
        "Hay barn",
        "rtsp://127.0.0.1:9/none",
        Status.ACTIVE,
        True,
    )

    menu = inside.get_by_role("button", name="Hay barn: more")
    menu.click()
    inside.get_by_role("menuitem", name="Stop").click()
    expect(tile(inside, "Hay barn")).to_contain_text("Stopped")
    menu.click()
    inside.get_by_role("menuitem", name="Start").click()
    expect(tile(inside, "Hay barn")).to_contain_text("Starting")

    menu.click()
    inside.get_by_role("menuitem", name="Change").click()
    inside.get_by_role("dialog").get_by_label("Name", exact=True).fill("Straw barn")
    inside.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(tile(inside, "Straw barn")).to_be_visible()

    inside.get_by_role("button", name="Straw barn: more").click()
    inside.get_by_role("menuitem", name="Remove").click()
    inside.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(inside.get_by_role("heading", name="No camera yet")).to_be_visible()
    assert yard.store.streams.all() == []


@pytest.mark.parametrize(
    ("kind", "address", "says"),
    [
        ("rtsp", "http://camera/", "starts with rtsp://"),
        ("rtsp", "rtsp://", "names no host"),
    ],
)
def test_an_address_that_can_not_be_right_is_told_in_a_sentence(inside: Page, kind: str, address: str, says: str) -> None:
    inside.get_by_role("button", name="Add the first camera").click()
    dialog = inside.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Hay barn")
    dialog.get_by_label("Address").fill(address)
    dialog.get_by_label("Kind").select_option(kind)
    dialog.get_by_role("button", name="Add and start").click()
    expect(dialog.get_by_role("alert")).to_contain_text(says)


def test_nothing_is_wider_than_a_phone(inside: Page, yard: Yard, clip: Clip) -> None:
    stream = yard.stream("A camera with quite a long name, over the door")
    yard.camera(stream, clip)
    inside.set_viewport_size(PHONE)
    for address in ("/", f"/cameras/{stream}"):
        inside.goto(address)
        expect(inside.get_by_text(re.compile("quite a long name")).first).to_be_visible()
        assert inside.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        small = inside.evaluate(
            """[...document.querySelectorAll('button, a, select')].map(e => e.getBoundingClientRect())
            .filter(b => b.width > 0 && b.height < 36).length"""
        )
        assert small == 0, "a finger needs at least 36 px"

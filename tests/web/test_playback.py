from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect
from tests.web.pixels import look
from tests.web.target import FRAMES, RATE, Clip
from tests.web.yard import Yard

pytestmark = pytest.mark.browser

PLAYING = """() => { const video = document.querySelector('video');
    return video && !video.paused && video.readyState > 2 && window.__barnhand.frames().length > 5 }"""


def pts_now(page: Page) -> int:
    return int(page.evaluate("window.__barnhand.frames().at(-1).pts"))


@pytest.fixture
def recorded(inside: Page, yard: Yard, clip: Clip) -> tuple[str, int]:
    """A camera with 30 s, a gap of 60 s with its cause, and 30 s: its id and when it begins (µs)."""
    stream = yard.stream("Foaling box")
    start_us = (yard.clock.wall_us() // 1_000_000 - 300) * 1_000_000
    yard.history(stream, clip, start_us=start_us, chunks=3)
    yard.history(stream, clip, start_us=start_us + 90_000_000, chunks=3, run=2)
    yard.gap(stream, start_us + 30_000_000, start_us + 90_000_000, "unreachable", "no route to 192.168.1.40")
    return stream, start_us


def test_a_link_to_a_moment_opens_that_very_picture(inside: Page, recorded: tuple[str, int]) -> None:
    stream, start_us = recorded
    inside.goto(f"/cameras/{stream}?t={(start_us + 12_000_000) / 1e6:.2f}")
    inside.wait_for_function(PLAYING, timeout=30_000)
    inside.keyboard.press("k")
    inside.wait_for_timeout(700)
    screen = look(inside)
    pts = pts_now(inside)
    assert pts >= (start_us + 12_000_000) * 9 // 100
    # The number painted into the picture is the one that its pts stands for.
    assert screen.number == round((pts - start_us * 9 / 100) / 3600) % FRAMES


def test_the_way_over_a_gap(inside: Page, recorded: tuple[str, int]) -> None:
    stream, start_us = recorded
    inside.goto(f"/cameras/{stream}?t={(start_us + 28_000_000) / 1e6:.2f}")
    inside.wait_for_function(
        "us => window.__barnhand.frames().at(-1)?.pts > us * 0.09", arg=start_us + 91_000_000, timeout=40_000
    )
    pts = [frame["pts"] for frame in inside.evaluate("window.__barnhand.frames()")]
    assert all(later > earlier for earlier, later in pairwise(pts))
    in_gap = [tick for tick in pts if (start_us + 30_000_000) * 9 // 100 < tick < (start_us + 90_000_000) * 9 // 100 - RATE]
    assert in_gap == []


def test_the_strip_shows_what_was_recorded_and_why_not(inside: Page, recorded: tuple[str, int]) -> None:
    stream, _ = recorded
    inside.goto(f"/cameras/{stream}")
    expect(inside.get_by_test_id("recorded")).to_have_count(2)
    expect(inside.get_by_test_id("gap")).to_have_attribute("title", "Unreachable. no route to 192.168.1.40")
    box = inside.get_by_test_id("gap").bounding_box()
    assert box is not None
    inside.mouse.move(box["x"] + box["width"] / 2, box["y"] + 3)
    expect(inside.get_by_text("· Unreachable")).to_be_visible()


def test_a_tap_on_the_strip_goes_there_and_the_button_back_to_live(
    inside: Page, recorded: tuple[str, int], yard: Yard, clip: Clip
) -> None:
    stream, start_us = recorded
    yard.camera(stream, clip)
    inside.goto(f"/cameras/{stream}")
    first = inside.get_by_test_id("recorded").first
    box = first.bounding_box()
    assert box is not None
    inside.mouse.click(box["x"] + box["width"] / 2, box["y"] + 8)
    inside.wait_for_function(
        "us => window.__barnhand.frames().at(-1)?.pts < us * 0.09", arg=start_us + 31_000_000, timeout=30_000
    )
    assert pts_now(inside) >= start_us * 9 // 100
    inside.get_by_role("button", name="Go live").click()
    inside.wait_for_function(
        "us => window.__barnhand.frames().at(-1)?.pts > us * 0.09", arg=yard.clock.wall_us(), timeout=30_000
    )


def test_keys_pause_step_and_change_the_speed(inside: Page, recorded: tuple[str, int]) -> None:
    stream, start_us = recorded
    inside.goto(f"/cameras/{stream}?t={(start_us + 15_000_000) / 1e6:.2f}")
    inside.wait_for_function(PLAYING, timeout=30_000)
    inside.keyboard.press("k")
    inside.wait_for_function("() => document.querySelector('video').paused")
    before = pts_now(inside)
    inside.keyboard.press("ArrowLeft")
    inside.wait_for_function("pts => window.__barnhand.frames().at(-1).pts < pts - 9.5 * 90000", arg=before)
    assert pts_now(inside) > before - 10.5 * 90_000
    inside.keyboard.press(".")
    inside.keyboard.press(".")
    inside.keyboard.press("k")
    inside.wait_for_function("() => document.querySelector('video').playbackRate === 4")
    expect(inside.get_by_label("Speed")).to_have_value("4")


def test_a_time_without_recordings_says_so(inside: Page, yard: Yard) -> None:
    stream = yard.stream("Empty")
    inside.goto(f"/cameras/{stream}?t=1795000000")
    expect(inside.get_by_text("Nothing was recorded at this time.")).to_be_visible()

import logging

import pytest
from playwright.sync_api import Page, expect
from tests.web.target import Clip
from tests.web.yard import Yard

from barnhand.core.stream import Cause

log = logging.getLogger(__name__)
pytestmark = pytest.mark.browser


def wait_for_pictures_after(page: Page, wall_us: int) -> None:
    page.wait_for_function("us => (window.__barnhand.frames().at(-1)?.pts ?? 0) > us * 0.09", arg=wall_us, timeout=40_000)


def test_plays_muted_inline_at_the_proportions_of_the_camera(inside: Page, yard: Yard, clip: Clip) -> None:
    stream = yard.stream("Paddock")
    yard.camera(stream, clip)
    inside.goto(f"/cameras/{stream}")
    wait_for_pictures_after(inside, yard.clock.wall_us() - 10_000_000)
    facts = inside.evaluate(
        """() => { const v = document.querySelector('video'), c = document.querySelector('canvas');
        const a = v.getBoundingClientRect(), b = c.getBoundingClientRect();
        return {muted: v.muted, inline: v.playsInline, same: ['x', 'y', 'width', 'height'].every(k => a[k] === b[k]),
                aspect: a.width / a.height} }"""
    )
    assert facts == {"muted": True, "inline": True, "same": True, "aspect": pytest.approx(16 / 9, abs=0.01)}


def test_goes_on_without_a_reload_when_the_server_comes_back(inside: Page, yard: Yard, clip: Clip) -> None:
    stream = yard.stream("Paddock")
    yard.camera(stream, clip)
    inside.goto(f"/cameras/{stream}")
    wait_for_pictures_after(inside, yard.clock.wall_us() - 10_000_000)
    inside.evaluate("window.theSamePage = true")
    yard.stop_api()
    expect(inside.get_by_text("calling again")).to_be_visible()
    yard.start_api()
    back_us = yard.clock.wall_us()
    wait_for_pictures_after(inside, back_us)
    log.info(f"first new picture {(yard.clock.wall_us() - back_us) / 1e6:.1f} s after the server was back")
    assert inside.evaluate("window.theSamePage")


def test_goes_on_without_a_reload_when_the_recorder_begins_a_new_run(inside: Page, yard: Yard, clip: Clip) -> None:
    stream = yard.stream("Paddock")
    first = yard.camera(stream, clip)
    inside.goto(f"/cameras/{stream}")
    wait_for_pictures_after(inside, yard.clock.wall_us() - 10_000_000)
    inside.evaluate("window.theSamePage = true")
    first.stop()
    yard.clock.sleep(2)
    yard.camera(stream, clip)
    wait_for_pictures_after(inside, yard.clock.wall_us())
    assert inside.evaluate("window.theSamePage")


def test_a_state_told_by_the_recorder_shows_at_once(inside: Page, yard: Yard, clip: Clip) -> None:
    stream = yard.stream("Paddock")
    yard.camera(stream, clip)
    inside.goto(f"/cameras/{stream}")
    header = inside.get_by_role("main")
    expect(header.get_by_text("Live", exact=True).first).to_be_visible()
    yard.tell(stream, Cause.UNREACHABLE, "no route to 192.168.1.40")
    expect(inside.get_by_text("Unreachable")).to_be_visible()
    expect(inside.get_by_text("no route to 192.168.1.40")).to_be_visible()
    # The picture stands still and could be taken for now: what is wrong is said on it too.
    expect(inside.get_by_role("status").filter(has_text="Nothing answers at this address")).to_be_visible()

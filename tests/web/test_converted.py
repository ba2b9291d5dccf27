"""H.265 in a browser that cannot play it: told in words, shown converted, the box on the horse to the frame."""

import logging
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect
from tests.web.barn import Barn
from tests.web.target import load
from tests.web.test_overlay import ONLY_THE_BOX, assert_locked, looks, wait_until_drawn
from tests.web.yard import Yard

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CONVERTED = (
    "This camera sends H.265 (HEVC), which this browser can not play. It is recorded as it comes and shown here converted"
)


@pytest.fixture
def barn(yard: Yard) -> Iterator[Barn]:
    made = Barn(yard)
    yield made
    made.close()


def plays(page: Page, mime: str) -> bool:
    return bool(page.evaluate("mime => MediaSource.isTypeSupported(mime)", mime))


def convert_all(page: Page, yard: Yard, stream: str) -> None:
    """Have every finished chunk converted first: a machine full of other work may take longer for a chunk than it lasts."""
    for stored in yard.store.chunks.between(stream, 0, 2**62):
        if stored.chunk.closed:
            page.wait_for_function(
                "id => fetch(`/v1/chunks/${id}/media?codec=h264`).then(a => a.ok)", arg=stored.chunk.id, timeout=120_000
            )


def test_an_rtsp_camera_is_shown_converted_live_and_from_its_recording(
    inside: Page, yard: Yard, barn: Barn, hevc_file: Path
) -> None:
    stream = yard.stream("Foaling box")
    barn.transcoder()
    barn.camera(stream, hevc_file)
    inside.evaluate(ONLY_THE_BOX)
    inside.goto(f"/cameras/{stream}")
    expect(inside.get_by_text(CONVERTED)).to_be_visible(timeout=60_000)
    wait_until_drawn(inside)
    assert_locked(looks(inside))
    delays = sorted(inside.evaluate("window.__barnhand.frames().slice(-75).map(f => f.displayMs - f.pts / 90)"))
    log.info(f"camera to pixel, converted: median {delays[len(delays) // 2]:.0f} ms")

    # What is on disk is what the camera sent; a few seconds into it the same page plays it converted.
    inside.wait_for_function(
        "id => fetch(`/v1/streams/${id}/chunks`).then(a => a.json()).then(all => all.filter(c => c.closed).length >= 2)",
        arg=stream,
        timeout=60_000,
    )
    chunk = yard.store.chunks.between(stream, 0, 2**62)[0].chunk
    assert chunk.codec == "hevc"
    assert not plays(inside, chunk.mime), "this browser plays H.265 after all: nothing is proved here"
    inside.goto("/")  # nobody watches live any more
    convert_all(inside, yard, stream)
    inside.goto(f"/cameras/{stream}?t={(chunk.start_us + 3_000_000) / 1e6:.2f}")
    expect(inside.get_by_text(CONVERTED)).to_be_visible(timeout=60_000)
    wait_until_drawn(inside, 25)
    assert_locked(looks(inside, 20))


def test_a_recording_is_converted_over_the_seam_of_its_chunks(inside: Page, yard: Yard, barn: Barn, hevc_file: Path) -> None:
    stream = yard.stream("Foaling box")
    start_us = yard.clock.wall_us() - 300_000_000
    yard.history(stream, load(hevc_file), start_us=start_us, chunks=3)
    barn.transcoder()
    convert_all(inside, yard, stream)
    inside.evaluate(ONLY_THE_BOX)
    inside.goto(f"/cameras/{stream}?t={(start_us + 6_000_000) / 1e6:.2f}")
    expect(inside.get_by_text(CONVERTED)).to_be_visible()
    wait_until_drawn(inside, 25)
    assert_locked(looks(inside))


def test_a_clip_is_saved_converted_and_a_stretch_kept(
    inside: Page, yard: Yard, barn: Barn, hevc_file: Path, tmp_path: Path
) -> None:
    stream = yard.stream("Foaling box")
    start_us = yard.clock.wall_us() - 300_000_000
    yard.history(stream, load(hevc_file), start_us=start_us, chunks=4)
    barn.transcoder()
    convert_all(inside, yard, stream)
    inside.goto(f"/cameras/{stream}?t={(start_us + 20_000_000) / 1e6:.2f}")
    inside.wait_for_function("() => window.__barnhand.frames().length > 3", timeout=60_000)
    inside.keyboard.press("k")
    inside.get_by_label("Length of the clip").select_option("30")
    with inside.expect_download(timeout=120_000) as saving:
        inside.get_by_role("button", name="Save this clip").click()
    assert saving.value.suggested_filename.startswith("Foaling box 20")
    saved = tmp_path / "saved.mp4"
    saving.value.save_as(saved)
    with av.open(str(saved)) as file:
        video = file.streams.video[0]
        assert (video.codec_context.name, video.codec_context.width) == ("h264", 1280)
        assert 28 < float(video.duration * video.time_base) < 32

    inside.get_by_role("button", name="Keep this").click()
    expect(inside.get_by_test_id("kept")).to_be_visible()
    expect(inside.get_by_role("button", name="Kept")).to_have_attribute("aria-pressed", "true")
    kept = [stored.chunk for stored in yard.store.chunks.between(stream, 0, 2**62) if stored.protected]
    assert len(kept) >= 3
    assert all((yard.recordings / chunk.path).with_suffix(".keep").exists() for chunk in kept)
    inside.get_by_role("button", name="Kept").click()
    expect(inside.get_by_role("button", name="Keep this")).to_be_visible()
    assert list(yard.recordings.rglob("*.keep")) == []


def test_beyond_the_limit_there_are_still_pictures_and_the_reason(
    inside: Page, yard: Yard, barn: Barn, hevc_file: Path
) -> None:
    stream = yard.stream("Yard")
    barn.transcoder(conversions=0)
    yard.camera(stream, load(hevc_file))
    inside.goto(f"/cameras/{stream}")
    expect(inside.get_by_text("so you see still pictures. Converting is switched off on this machine")).to_be_visible(
        timeout=60_000
    )
    expect(inside.get_by_alt_text("Newest picture of Yard")).to_be_visible(timeout=30_000)

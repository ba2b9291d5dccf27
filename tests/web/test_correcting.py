"""A person says that an animal on screen is not the horse it is called."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.web.conftest import PHONE
from tests.web.target import BELLA, FRAMES, PASS, Clip, observe
from tests.web.yard import Yard

from barnhand.core.time import pts_of_wall

pytestmark = pytest.mark.browser

LENGTH_US = 10_000_000


@pytest.fixture
def start_us(yard: Yard) -> int:
    return (yard.clock.wall_us() // 1_000_000 - 300) * 1_000_000


@pytest.fixture
def recorded(yard: Yard, clip: Clip, start_us: int) -> str:
    """A camera with ten seconds in which Bella, who has her name from a person, crosses the picture twice."""
    stream = yard.stream("Foaling box")
    yard.history(stream, clip, start_us=start_us, chunks=1)
    yard.store.horses.update(BELLA, {"name": "Bella"})
    return stream


def ask(page: Page, stream: str, at_us: int) -> Locator:
    """The dialog about the horse in the recorded picture of that time, which stands still."""
    page.goto(f"/cameras/{stream}?t={at_us / 1e6:.2f}")
    page.get_by_role("button", name="Name Bella").wait_for(timeout=30_000)
    page.keyboard.press("k")
    page.get_by_role("button", name="Name Bella").click()
    return page.get_by_role("dialog", name="Is this Bella?")


def names(yard: Yard, stream: str, start_us: int) -> dict[int, set[tuple[str | None, str]]]:
    """What each track is called."""
    rows, _ = yard.store.detections.stretch(stream, start_us, start_us + LENGTH_US, limit=FRAMES)
    return {
        track: {(row.horse_name, row.certainty) for row in rows if row.track_id == track}
        for track in {row.track_id for row in rows}
    }


def test_an_animal_in_a_recording_is_another_horse(inside: Page, yard: Yard, recorded: str, start_us: int) -> None:
    yard.store.horses.create(name="Old Tom")
    dialog = ask(inside, recorded, start_us + 1_000_000)
    expect(dialog).to_contain_text("Only this animal is meant")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_label("It is", exact=True).select_option("Old Tom")
    dialog.get_by_role("button", name="It is Old Tom").click()
    expect(dialog).to_have_count(0)
    # The picture that stands still is shown with what is known now.
    expect(inside.get_by_role("button", name="Name Old Tom")).to_be_visible()
    assert names(yard, recorded, start_us) == {0: {("Old Tom", "confirmed")}, 1: {("Bella", "confirmed")}}
    assert {horse.name for horse in yard.store.horses.all()} == {"Bella", "Old Tom"}


def test_what_a_person_took_back_can_be_said_again(inside: Page, yard: Yard, recorded: str, start_us: int) -> None:
    """An animal in a recording is no stranger that BarnHand will name by itself."""
    dialog = ask(inside, recorded, start_us + 1_000_000)
    dialog.get_by_role("button", name="It is not Bella").click()
    inside.get_by_role("button", name="Name Horse 0").click()
    again = inside.get_by_role("dialog", name="Who is Horse 0?")
    again.get_by_label("It is", exact=True).select_option("Bella")
    again.get_by_role("button", name="It is Bella").click()
    expect(again).to_have_count(0)
    expect(inside.get_by_role("button", name="Name Bella")).to_be_visible()
    assert names(yard, recorded, start_us) == {0: {("Bella", "confirmed")}, 1: {("Bella", "confirmed")}}


def test_an_animal_before_the_camera_is_none_that_is_known(
    inside: Page, yard: Yard, recorded: str, clip: Clip, start_us: int
) -> None:
    """On a telephone, and nobody else has a name."""
    now = yard.clock.wall_us()
    seen = [observe(recorded, track * PASS, now + track, pts_of_wall(now + track)) for track in range(100)]
    yard.spool.append("observation", [observation.to_dict() for observation in seen])
    yard.camera(recorded, clip)
    inside.set_viewport_size(PHONE)
    inside.goto(f"/cameras/{recorded}")
    inside.get_by_role("button", name="Name Bella").click(timeout=30_000)
    dialog = inside.get_by_role("dialog", name="Is this Bella?")
    expect(dialog.get_by_label("No, it is another horse")).to_be_disabled()
    expect(dialog.get_by_label("No, it is none that I know")).to_be_checked()
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    dialog.get_by_role("button", name="It is not Bella").click()
    expect(dialog).to_have_count(0)
    rows, _ = yard.store.detections.stretch(recorded, now, now + 100, limit=100)
    assert sum(row.horse_id is None for row in rows) == 1
    assert len(rows) == 100


def test_a_name_that_is_written_wrongly_is_mended_and_never_makes_two_horses_one(
    inside: Page, yard: Yard, recorded: str, start_us: int
) -> None:
    tom = yard.store.horses.create(name="Old Tom").id
    dialog = ask(inside, recorded, start_us + 1_000_000)
    dialog.get_by_label("Yes, but the name is written wrongly").check()
    dialog.get_by_label("Name", exact=True).fill("old tom")
    expect(dialog).to_contain_text(re.compile("Another horse is called Old Tom. .* choose “another horse” above"))
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_label("Name", exact=True).fill("Isabella")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(inside.get_by_role("button", name="Name Isabella")).to_be_visible()
    assert {horse.id: horse.name for horse in yard.store.horses.all()} == {BELLA: "Isabella", tom: "Old Tom"}

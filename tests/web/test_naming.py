"""A person says who a horse is."""

import time

import pytest
from playwright.sync_api import Page, expect
from tests.web.target import BELLA, Clip
from tests.web.yard import Yard

from barnhand.core.errors import NotFoundError

pytestmark = pytest.mark.browser


def known_to(yard: Yard, horse_id: str) -> None:
    """The row an analyst writes of a stranger, once the writer has put it into the database."""
    row = {"id": horse_id, "name": "Unknown 1", "stranger": True, "created_us": yard.clock.wall_us()}
    yard.spool.append("horse", [row])
    for _ in range(200):
        try:
            yard.store.horses.get(horse_id)
        except NotFoundError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the horse never reached the database")


def ask_who(page: Page, yard: Yard, clip: Clip):  # type: ignore[no-untyped-def]
    stream = yard.stream("Foaling box")
    known_to(yard, BELLA)
    yard.camera(stream, clip)
    page.goto(f"/cameras/{stream}")
    page.get_by_role("button", name="Name Bella").click(timeout=30_000)
    return page.get_by_role("dialog", name="Who is Bella?")


def test_a_stranger_is_given_a_name(inside: Page, yard: Yard, clip: Clip) -> None:
    dialog = ask_who(inside, yard, clip)
    dialog.get_by_label("Name").fill("  Rosalie ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    horse = yard.store.horses.get(BELLA)
    assert (horse.name, horse.stranger) == ("Rosalie", False)


def test_a_name_that_somebody_bears_makes_the_two_one(inside: Page, yard: Yard, clip: Clip) -> None:
    tom = yard.store.horses.create(name="Old Tom")
    dialog = ask_who(inside, yard, clip)
    dialog.get_by_label("Name").fill("old tom")
    expect(dialog).to_contain_text("the two become one horse")
    dialog.get_by_role("button", name="It is Old Tom").click()
    expect(dialog).to_have_count(0)
    assert yard.store.horses.get(BELLA).id == tom.id

import pytest
from playwright.sync_api import Page, expect
from tests.web.yard import EMAIL, PASSWORD, Yard

from barnhand.store.records import Role

pytestmark = pytest.mark.browser


def test_the_one_time_link_makes_the_first_administrator(page: Page, yard: Yard) -> None:
    token = yard.store.setup.issue()
    page.goto(f"/welcome?token={token}")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill("something else")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_have_text("The two passwords differ. Type the same one twice.")
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="No camera yet")).to_be_visible()
    assert [user.role for user in yard.store.users.all()] == [Role.ADMIN]


def test_a_wrong_link_says_what_to_do(page: Page, yard: Yard) -> None:
    page.goto("/welcome?token=nonsense")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_contain_text("This link is used or too old")


def test_a_link_used_before_leads_to_signing_in(page: Page, yard: Yard) -> None:
    yard.person()
    page.goto("/welcome?token=used")
    expect(page.get_by_role("heading", name="This link was used before")).to_be_visible()
    page.get_by_role("link", name="Go to sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_one_sentence(page: Page, yard: Yard) -> None:
    yard.person()
    page.goto("/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("E-mail address or password is wrong.")


def test_signing_in_leads_back_to_where_one_wanted_to_go_and_out_again(page: Page, yard: Yard) -> None:
    yard.person()
    stream = yard.stream("Paddock")
    page.goto(f"/cameras/{stream}?t=1795000000")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/cameras/{stream}?t=1795000000")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

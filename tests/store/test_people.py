"""People and yards."""

import pytest

from barnhand.core.errors import ConfigurationError, NotFoundError
from barnhand.store.records import Role
from barnhand.store.store import Store


@pytest.mark.parametrize(
    ("role", "other", "may"),
    [
        (Role.ADMIN, Role.VIEWER, True),
        (Role.VET, Role.GROOM, True),
        (Role.GROOM, Role.GROOM, True),
        (Role.GROOM, Role.VET, False),
        (Role.VIEWER, Role.ADMIN, False),
    ],
)
def test_a_role_may_what_those_before_it_may(role: Role, other: Role, may: bool) -> None:
    assert role.includes(other) is may


def test_a_person_is_a_viewer_of_the_first_yard(store: Store) -> None:
    user = store.users.create(" Anna@Barn.TEST ", "hash")
    assert (user.email, user.role) == ("anna@barn.test", Role.VIEWER)
    assert store.users.find("ANNA@barn.test") == user
    assert [farm.id for farm in store.farms.all()] == [store.farms.default()]


@pytest.mark.parametrize(("email", "sentence"), [("Anna@barn.test", "account already"), ("anna", "NAME@HOST")])
def test_an_address_that_cannot_be_used(store: Store, email: str, sentence: str) -> None:
    store.users.create("anna@barn.test", "hash")
    with pytest.raises(ConfigurationError, match=sentence):
        store.users.create(email, "hash")


def test_only_the_newest_link_works(store: Store) -> None:
    old, new = store.setup.issue(), store.setup.issue()
    assert old is not None
    assert new is not None
    with pytest.raises(ConfigurationError):
        store.setup.redeem(old, "a@barn.test", "hash")
    first = store.setup.redeem(new, "a@barn.test", "hash")
    assert first.role is Role.ADMIN
    assert store.farms.get(store.farms.default()).owner_id == first.id


def test_who_is_gone_is_gone(store: Store) -> None:
    user = store.users.create("anna@barn.test", "hash")
    store.users.delete(user.id)
    for action in (lambda: store.users.get(user.id), lambda: store.users.delete(user.id)):
        with pytest.raises(NotFoundError):
            action()


def test_neither_hash_nor_secret_is_printed(store: Store) -> None:
    assert "hash-of-it" not in repr(store.users.create("anna@barn.test", "hash-of-it"))

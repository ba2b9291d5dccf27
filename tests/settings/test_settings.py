"""Settings come from the environment, are documented, and are refused in words."""

import re
from pathlib import Path

import pytest

from barnhand.core.errors import ConfigurationError
from barnhand.settings.settings import Settings, read_settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(BARNHAND_[A-Z_]+)`", DOCS.read_text(), re.MULTILINE))
    assert documented == {"BARNHAND_" + name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("BARNHAND_PORT", "9000", "port", 9000),
        ("BARNHAND_ANALYSIS_FPS", "2.5", "analysis_fps", 2.5),
        ("BARNHAND_DATA", "/somewhere", "data", Path("/somewhere")),
        ("BARNHAND_RETENTION_GB", "", "retention_gb", None),
        ("BARNHAND_YOUTUBE_COOKIES", "/etc/cookies.txt", "youtube_cookies", Path("/etc/cookies.txt")),
        ("BARNHAND_YOUTUBE_PROXIES", "http://a:1,http://b:2", "youtube_proxies", "http://a:1,http://b:2"),
    ],
)
def test_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: object
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(read_settings(), field) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BARNHAND_PORT", "many"), ("BARNHAND_PORT", "0"), ("BARNHAND_DEVICE", "abacus"), ("BARNHAND_RETENTION_DAYS", "-1")],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"^{variable} cannot be used"):
        read_settings()


def test_an_address_with_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARNHAND_DATABASE_URL", "postgresql://horse:oats@db/barnhand")
    assert "oats" not in repr(read_settings())

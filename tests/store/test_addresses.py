"""A camera's address is checked and parted from its secrets."""

import pytest

from barnhand.core.errors import ConfigurationError
from barnhand.core.stream import SourceType
from barnhand.store.addresses import Address, same_host, split

RTSP, HLS, FILE, YOUTUBE, RTMP = SourceType.RTSP, SourceType.HLS, SourceType.FILE, SourceType.YOUTUBE, SourceType.RTMP


@pytest.mark.parametrize(
    ("kind", "typed", "shown", "login", "query"),
    [
        (RTSP, "rtsp://10.0.0.5/stream1", "rtsp://10.0.0.5/stream1", None, None),
        (RTSP, "rtsp://admin:pa%40ss@10.0.0.5:554/a?b=1", "rtsp://10.0.0.5:554/a?b=1", "admin:pa@ss", None),
        (RTSP, "rtsp://admin@cam/", "rtsp://cam/", "admin:", None),
        (RTSP, "rtsp://a:b:c@[fe80::1]:8554/x", "rtsp://[fe80::1]:8554/x", "a:b:c", None),
        (HLS, "https://h/live.m3u8?token=abc&q=1", "https://h/live.m3u8?token=hidden&q=1", None, "token=abc&q=1"),
        (
            RTSP,
            "rtsp://cam/x?user=admin&password=pw",
            "rtsp://cam/x?user=admin&password=hidden",
            None,
            "user=admin&password=pw",
        ),
        (HLS, "http://h/a.m3u8#part", "http://h/a.m3u8", None, None),
        (RTMP, "rtmp://h/app/key", "rtmp://h/app/key", None, None),
        (YOUTUBE, "https://www.youtube.com/watch?v=abc", "https://www.youtube.com/watch?v=abc", None, None),
        (FILE, "/videos/barn.mp4", "/videos/barn.mp4", None, None),
        (FILE, "file:///videos/barn.mp4", "/videos/barn.mp4", None, None),
    ],
)
def test_parted(kind: SourceType, typed: str, shown: str, login: str | None, query: str | None) -> None:
    address = split(kind, typed)
    assert (address.url, address.login, address.query) == (shown, login, query)
    assert Address.join(address.url, address.secret) == address


def test_a_login_beside_the_address_wins() -> None:
    assert split(RTSP, "rtsp://old:word@cam/1", "new", "p:w/@ 1").login == "new:p:w/@ 1"
    assert split(RTSP, "rtsp://old:word@cam/1", None, "other").login == "old:other"
    assert split(RTSP, "rtsp://old:word@cam/1", "", "").login is None


def test_the_whole_address_has_its_query_and_not_its_login() -> None:
    address = split(HLS, "https://u:p@h/a.m3u8?token=t")
    assert address.whole_url == "https://h/a.m3u8?token=t"


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        (RTSP, "http://cam/1", "starts with rtsp://"),
        (RTSP, "cam/1", "starts with rtsp://"),
        (RTSP, "rtsp:///1", "names no host"),
        (RTSP, "rtsp://cam:port/1", "cannot be read"),
        (RTSP, "rtsp://cam/a b", "a space or a line break"),
        (RTSP, "rtsp://[fe80/1", "cannot be read"),
        (YOUTUBE, "https://youtube.com.evil.example/x", "not one of YouTube"),
        (YOUTUBE, "https://vimeo.com/1", "not one of YouTube"),
        (FILE, "videos/barn.mp4", "whole path"),
        (HLS, "file:///etc/passwd", "starts with http://"),
    ],
)
def test_what_is_no_address_is_told_in_a_sentence(kind: SourceType, typed: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        split(kind, typed)


def test_no_secret_in_what_is_printed() -> None:
    assert "pw" not in repr(split(RTSP, "rtsp://admin:pw@cam/1?token=pw"))


@pytest.mark.parametrize(("other", "same"), [("rtsp://cam/2", True), ("rtsp://cam:555/1", False), ("rtsp://evil/1", False)])
def test_same_host(other: str, same: bool) -> None:
    assert same_host(split(RTSP, "rtsp://u:p@cam/1"), split(RTSP, other)) is same

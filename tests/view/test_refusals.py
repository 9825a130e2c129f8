"""Requests that the page never makes: refused, and the board goes on."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import struct
import zlib
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.view.conftest import Page

VIEW_OPTIONS = ("--frames", "pattern:checker", "--paused")


def _ask(
    page: Page, method: str, path: str, body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:  # fmt: skip
    with contextlib.closing(http.client.HTTPConnection(page.host, timeout=30)) as connection:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _picture(page: Page, body: bytes, **query: str) -> tuple[int, str]:
    return _ask(page, "POST", f"/picture?{urlencode({'token': page.token, **query})}", body)


def _bomb() -> bytes:
    """A PNG that says it has 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(60_001) * 16)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.fixture(autouse=True)
def still_works(page: Page) -> object:
    """After each of them a picture is taken, and the page answers."""
    yield
    stream = io.BytesIO()
    Image.new("RGB", (50, 40), "grey").save(stream, "PNG")
    assert _picture(page, stream.getvalue(), name="ok.png") == (200, "{}")
    with connect(_live(page), origin=Origin(f"http://{page.host}")) as live:
        state = live.recv(timeout=30)
        assert isinstance(state, bytes)
        size = struct.unpack_from("<I", state)[0]
        assert json.loads(state[4 : 4 + size])["elf"] == "boardless.elf"


def _live(page: Page, token: str | None = None) -> str:
    return f"ws://{page.host}/live?token={page.token if token is None else token}"


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/", {}, "without the token"),
        ("/?token=wrong", {}, "without the token"),
        ("/?token=%C3%A9", {}, "without the token"),
        ("/?token={token}", {"Host": "evil.example"}, "another host"),
        ("/main.js", {"Host": "evil.example"}, "another host"),
        ("/?token={token}", {"Origin": "http://evil.example"}, "another origin"),
        ("/?token={token}", {"Origin": "null"}, "another origin"),
    ],
)
def test_a_stranger_is_refused(
    page: Page, path: str, headers: Mapping[str, str], said: str
) -> None:
    status, text = _ask(page, "GET", path.format(token=page.token), headers=headers)
    assert status == 403
    assert said in text


def test_no_other_file_is_served(page: Page) -> None:
    for path in ("/../server.py", "/%2e%2e/server.py", "/server.py", "/index.html"):
        assert _ask(page, "GET", f"{path}?token={page.token}")[0] == 404


def test_fifty_megabytes_are_cut_off(page: Page) -> None:
    # It may close the connection before all of it was sent.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        assert _picture(page, bytes(50 << 20))[0] == 413


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_bomb(), "expected at most 40 megapixels"),
        (b"%PDF-1.7\n" + bytes(1000), "no picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "no picture"),
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
    ],
)
def test_what_is_no_picture_is_said(page: Page, body: bytes, said: str) -> None:
    status, text = _picture(page, body, name="x\x1b[31m<b>")
    assert status == 415
    assert said in json.loads(text)["error"]
    assert "\x1b" not in text


def test_a_picture_without_the_token_is_refused(page: Page) -> None:
    assert _ask(page, "POST", "/picture", b"x")[0] == 403


@pytest.mark.parametrize(
    ("token", "origin"),
    [
        ("wrong", "http://{host}"),
        (None, "http://evil.example"),
        (None, None),
        ("", "http://{host}"),
    ],
)
def test_a_strange_connection_is_refused(page: Page, token: str | None, origin: str | None) -> None:
    given = None if origin is None else Origin(origin.format(host=page.host))
    with pytest.raises(InvalidStatus), connect(_live(page, token), origin=given):
        pass


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("[]", "expected an object"),
        ("{", "expected JSON"),
        ("[" * 9000, "expected JSON"),
        ('{"do": "erase"}', "expected one of: run"),
        ('{"do": ["run"]}', "expected one of: run"),
        ('{"do": "speed", "to": 1e99}', "expected 0.015625 to 16"),
        ('{"do": "speed", "to": NaN}', "expected 0.015625 to 16"),
        ('{"do": "speed", "to": true}', "expected a number"),
        ('{"do": "fault", "name": "dead sensor", "on": 1}', "expected name and on"),
        ('{"do": "send", "port": "USART2", "text": 5}', "expected port and text"),
    ],
)
def test_a_wish_that_makes_no_sense_is_answered(page: Page, wish: str, said: str) -> None:
    with connect(_live(page), origin=Origin(f"http://{page.host}")) as live:
        live.send(wish)
        for _ in range(100):
            answer = live.recv(timeout=30)
            if isinstance(answer, str):
                assert said in json.loads(answer)["error"]
                return
    pytest.fail("no answer")


def test_a_wish_of_a_megabyte_ends_the_connection(page: Page) -> None:
    with connect(_live(page), origin=Origin(f"http://{page.host}")) as live:
        live.send("x" * (1 << 20))
        with pytest.raises(ConnectionClosed):
            deque(live, maxlen=0)


def test_nothing_listens_beyond_its_address(page: Page) -> None:
    port = int(page.host.rpartition(":")[2])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):  # noqa: PT011
        pass

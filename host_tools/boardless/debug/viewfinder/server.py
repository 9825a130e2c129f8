"""The page on loopback: whoever has the token, at this host, from this origin."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from boardless.debug.viewfinder.picture import MOST_BYTES, frame_of
from boardless.debug.viewfinder.player import Player
from boardless_sim.errors import EngineError, FrameError
from boardless_sim.visible import visible

LOOPBACK = "127.0.0.1"
_PAGE = Path(__file__).with_name("page")
_MOST_WISH_BYTES = 16 << 10
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Latest:
    """The newest state, for as many pages as are open; a slow one leaves states out."""

    def __init__(self) -> None:
        self._state = b""
        self._number = 0
        self._changed = asyncio.Condition()

    async def put(self, state: bytes) -> None:
        """A new one."""
        async with self._changed:
            self._state, self._number = state, self._number + 1
            self._changed.notify_all()

    async def states(self) -> AsyncIterator[bytes]:
        """From the one of now on."""
        seen = 0
        while True:
            async with self._changed:
                while self._number == seen:
                    await self._changed.wait()
                seen, state = self._number, self._state
            yield state


class Viewfinder:
    """The application; `hosts` are the names under which it may be asked for."""

    def __init__(self, player: Player, token: str, port: int) -> None:
        self._player, self._token = player, token
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        self._latest = Latest()
        names = sorted(path.name for path in _PAGE.iterdir() if path.suffix in (".js", ".css"))
        self.application = Starlette(
            routes=[
                Route("/", self._guarded(self._index)),
                *(
                    Route(f"/{name}", self._guarded(self._file(name), open_to=True))
                    for name in names
                ),
                Route("/picture", self._guarded(self._picture), methods=["POST"]),
                WebSocketRoute("/live", self._live),
            ],
            lifespan=self._life,
        )

    @contextlib.asynccontextmanager
    async def _life(self, application: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def publish(state: bytes) -> None:
            asyncio.run_coroutine_threadsafe(self._latest.put(state), loop)

        self._player.on_state = publish
        self._player.start()
        yield
        await run_in_threadpool(self._player.close)  # before the loop that it publishes to ends

    # ---- who may ask ----

    def _refusal(self, asked: HTTPConnection, *, needs_token: bool) -> str:
        """Why not; empty where nothing speaks against it."""
        if asked.headers.get("host", "") not in self._hosts:
            return "another host"
        origin = asked.headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return "another origin"
        given = asked.query_params.get("token", "")
        if needs_token and not secrets.compare_digest(given.encode(), self._token.encode()):
            return "without the token that `boardless view` printed"
        return ""

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]], *, open_to: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request, needs_token=not open_to)
            if refusal:
                return PlainTextResponse(f"refused: {refusal}\n", 403, _HEADERS)
            return await answer(request)

        return guarded

    # ---- answers ----

    async def _index(self, request: Request) -> Response:
        return FileResponse(_PAGE / "index.html", headers=_HEADERS)

    def _file(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def file(request: Request) -> Response:
            return FileResponse(_PAGE / name, headers=_HEADERS)

        return file

    async def _picture(self, request: Request) -> Response:
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MOST_BYTES:
                error = f"a picture of more than {MOST_BYTES >> 20} MiB"
                return JSONResponse({"error": error}, 413, {**_HEADERS, "connection": "close"})
        name = visible(request.query_params.get("name", "a picture"))[:80]
        try:
            self._player.show(await run_in_threadpool(frame_of, bytes(data), name))
        except FrameError as error:
            return JSONResponse({"error": str(error)}, 415, _HEADERS)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 503, _HEADERS)
        return JSONResponse({}, 200, _HEADERS)

    async def _live(self, socket: WebSocket) -> None:
        """States to the page, wishes from it."""
        if self._refusal(socket, needs_token=True) or socket.headers.get("origin") is None:
            await socket.close(_POLICY_VIOLATION)
            return
        await socket.accept()
        sending = asyncio.create_task(self._send(socket))
        try:
            while True:
                answer = self._wish(await socket.receive_text())
                if answer:
                    await socket.send_text(json.dumps({"error": answer}))
        except (WebSocketDisconnect, RuntimeError, KeyError):  # gone, or it sent no text
            pass
        finally:
            sending.cancel()

    async def _send(self, socket: WebSocket) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            async for state in self._latest.states():
                await socket.send_bytes(state)

    def _wish(self, text: str) -> str:
        try:
            return self._player.ask(json.loads(text))
        except (ValueError, RecursionError):
            return "expected JSON"


def serve(player: Player, port: int, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. Raises `EngineError` where the port is taken."""
    token = secrets.token_urlsafe(24)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise EngineError(f"port {port} of {LOOPBACK}: {error.strerror}") from None
        listener.listen()  # before its address is told
        found_port = int(listener.getsockname()[1])
        page = Viewfinder(player, token, found_port)
        config = uvicorn.Config(
            page.application, log_level="error", access_log=False, server_header=False,
            ws_max_size=_MOST_WISH_BYTES, ws="websockets-sansio", timeout_graceful_shutdown=1,
            lifespan="on",
        )  # fmt: skip
        say(f"http://{LOOPBACK}:{found_port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listener])

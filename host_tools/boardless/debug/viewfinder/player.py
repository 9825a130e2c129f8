"""Runs a board in a thread of its own, at a pace for the eye, and does what the page asks for."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from boardless.debug.viewfinder.board import WatchedBoard
from boardless.debug.viewfinder.message import Playing, message
from boardless_sim.camera.frame import Frame
from boardless_sim.errors import BoardlessError
from boardless_sim.parts.ssd1306 import Ssd1306

UPDATES_PER_S = 15
_SLOWEST, _FASTEST = 1 / 64, 16.0
_MOST_WAITING = 64  # wishes that were not heard yet; a page has no reason for more
_LONGEST_TEXT = 1000


class Player:
    """`on_state` gets every new state, in the player's thread."""

    def __init__(
        self,
        board: WatchedBoard,
        display: Ssd1306 | None = None,
        on_state: Callable[[bytes], None] = lambda state: None,
        *,
        running: bool = True,
    ) -> None:
        self._board, self._display = board, display
        self.on_state = on_state
        self._running, self._speed, self._note = running, 1.0, ""
        self._wishes: queue.Queue[Callable[[], None]] = queue.Queue(_MOST_WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="viewfinder", daemon=True)

    def start(self) -> None:
        """Begin; the first state comes at once."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for it; the board may be closed then."""
        self._closing.set()
        if self._thread.is_alive():
            with contextlib.suppress(ValueError):
                self._wish(lambda: None)
            self._thread.join()

    # ---- from any thread ----

    def show(self, frame: Frame) -> None:
        """A picture before the lens."""
        self._wish(lambda: self._board.show(frame))

    def ask(self, wish: object) -> str:
        """What a page sent; the answer says what is wrong with it, empty where nothing is."""
        if not isinstance(wish, dict):
            return "expected an object"
        name = wish.get("do")
        wishes: dict[object, Callable[[], Callable[[], None]]] = {
            "run": lambda: lambda: self._set_running(True),
            "pause": lambda: lambda: self._set_running(False),
            "step": lambda: self._step,
            "back": lambda: self._back,
            "source": lambda: self._board.go_on_with_source,
            "speed": lambda: self._speed_wish(wish.get("to")),
            "fault": lambda: self._fault_wish(wish.get("name"), wish.get("on")),
            "send": lambda: self._send_wish(wish.get("port"), wish.get("text")),
        }
        made = wishes.get(name if isinstance(name, str) else None)
        if made is None:
            return f"do {str(name)[:40]!r}, expected one of: {', '.join(map(str, wishes))}"
        try:
            self._wish(made())
        except ValueError as error:
            return str(error)
        return ""

    def _speed_wish(self, to: object) -> Callable[[], None]:
        if isinstance(to, bool) or not isinstance(to, int | float):
            raise ValueError("speed: expected a number")
        if not _SLOWEST <= to <= _FASTEST:
            raise ValueError(f"speed {to:g}, expected {_SLOWEST:g} to {_FASTEST:g}")
        return lambda: self._set_speed(float(to))

    def _fault_wish(self, name: object, on: object) -> Callable[[], None]:
        if not isinstance(name, str) or not isinstance(on, bool):
            raise ValueError("fault: expected name and on")
        return lambda: self._board.set_fault(name, on)

    def _send_wish(self, port: object, text: object) -> Callable[[], None]:
        if not isinstance(port, str) or not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise ValueError(f"send: expected port and text of at most {_LONGEST_TEXT} characters")
        return lambda: self._board.engine.uart_send(port, text.encode() + b"\n")

    def _wish(self, wish: Callable[[], None]) -> None:
        try:
            self._wishes.put_nowait(wish)
        except queue.Full:
            raise ValueError("busy: what was asked before is not done yet") from None

    # ---- in the player's thread ----

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._closing.is_set():
            if self._running:
                self._advance()
            self._publish()
            due_s = max(due_s + 1 / UPDATES_PER_S, time.monotonic())
            self._obey(due_s)

    def _advance(self) -> None:
        left_us = 1e6 * self._speed / UPDATES_PER_S
        until_us = self._board.engine.time_us() + left_us
        try:
            while left_us > 0 and not self._board.stands:
                self._board.advance(left_us)
                left_us = until_us - self._board.engine.time_us()
        except BoardlessError as error:
            self._note, self._running = str(error), False
        if self._board.stands:
            self._running = False

    def _obey(self, until_s: float) -> None:
        """Do what is asked for up to a time; a board that stands waits for the next wish."""
        while not self._closing.is_set():
            left_s = max(until_s - time.monotonic(), 0.0)
            try:
                wish = self._wishes.get(timeout=left_s if self._running else None)
            except queue.Empty:
                return
            self._note = ""
            try:
                wish()
            except BoardlessError as error:
                self._note = str(error)
            if not self._running:
                self._publish()

    def _publish(self) -> None:
        self.on_state(
            message(self._board, Playing(self._running, self._speed, self._note), self._display)
        )

    def _set_running(self, running: bool) -> None:
        self._running = running and not self._board.stands

    def _set_speed(self, speed: float) -> None:
        self._speed = speed

    def _step(self) -> None:
        self._running = False
        if not self._board.step():
            self._note = "no result within two seconds of virtual time"

    def _back(self) -> None:
        self._running = False
        if not self._board.back():
            self._note = "nothing before this is known any more"

"""One GDB at a time on loopback; whatever it sends or breaks off, the board is unharmed."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Protocol

from boardless.debug.packets import Mark, Reader, framed
from boardless.debug.session import Ending
from boardless_sim.errors import EngineError

LOOPBACK = "127.0.0.1"
_ANSWER_LIMIT_S = 10.0  # a client that takes no answer for so long is gone


class Session(Protocol):
    """What is at the board's end of a connection."""

    def run(self) -> Ending:
        """Answer until the client ends it. Raises `OSError` where it breaks off."""

    def forget_stops(self) -> None:
        """What this client wanted to stop at."""


class Link:
    """The connection to one client."""

    def __init__(self, connection: socket.socket, listener: socket.socket) -> None:
        self._connection, self._listener = connection, listener
        self._reader = Reader()
        self.acknowledges = True
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_ANSWER_LIMIT_S)

    def send(self, body: bytes) -> None:
        """A packet. Raises `OSError` where nobody takes it."""
        self._connection.sendall(framed(body))

    def receive(self) -> bytes | None:
        """The next packet's body; None for Ctrl-C. Raises `ConnectionError` at the end."""
        while True:
            found = self._reader.next()
            if found is None:
                self._wait(None)
            elif found is Mark.INTERRUPT:
                return None
            elif found is Mark.TOO_LONG:
                raise ConnectionError("a packet longer than was agreed")
            elif isinstance(found, bytes):
                if self.acknowledges:
                    self._connection.sendall(b"+")
                return found
            elif self.acknowledges:
                self._connection.sendall(b"-")
            else:
                self.send(b"E01")

    def is_interrupted(self) -> bool:
        """Whether Ctrl-C has arrived while the board runs. Raises `ConnectionError` at the end."""
        while self._wait(0):
            pass
        return self._reader.take_interrupt()

    def _wait(self, timeout_s: float | None) -> bool:
        """True: the client sent something. A second client is turned away while it is quiet."""
        ready, _, _ = select.select([self._connection, self._listener], [], [], timeout_s)
        if self._connection not in ready:
            if self._listener in ready:  # not before: the first one's end may have come by now
                self._listener.accept()[0].close()
            return False
        data = self._connection.recv(0x10000)
        if not data:
            raise ConnectionError("the client is gone")
        self._reader.feed(data)
        return True


def serve(
    open_session: Callable[[Link], Session],
    port: int,
    say: Callable[[str], None],
    *,
    once: bool = False,
) -> None:
    """Listen until a client kills, or with `once` until it goes.

    Raises `EngineError` where the port is taken.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise EngineError(f"port {port} of {LOOPBACK}: {error.strerror}") from None
        listener.listen(1)
        say(f"listening on {LOOPBACK}:{listener.getsockname()[1]}")
        while _serve_one(open_session, listener, say) is not Ending.KILLED and not once:
            pass


def _serve_one(
    open_session: Callable[[Link], Session], listener: socket.socket, say: Callable[[str], None]
) -> Ending:
    connection, _ = listener.accept()
    with connection:
        session = open_session(Link(connection, listener))
        try:
            return session.run()
        except (OSError, EngineError) as error:
            say(f"the client is let go: {error}")
            return Ending.DETACHED
        finally:
            session.forget_stops()

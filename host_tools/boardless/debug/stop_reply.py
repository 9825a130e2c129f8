"""How GDB is told why the board stands ("Stop Reply Packets")."""

from __future__ import annotations

from boardless.debug.target import Stop, Why
from boardless_sim.core.stops import Stops, WatchAccess

_SIGINT, _SIGTRAP, _SIGSEGV = 2, 5, 11
_SIGNALS = {
    Why.ASKED: _SIGINT,
    Why.LOCKUP: _SIGSEGV,
    Why.CAUGHT: _SIGSEGV,
    Why.STACK: _SIGSEGV,
}
_WATCH_NAMES = {
    WatchAccess.WRITE: "watch",
    WatchAccess.READ: "rwatch",
    WatchAccess.READ | WatchAccess.WRITE: "awatch",
}


def stop_reply(stop: Stop, breakpoint_kind: int, thread: int, stops: Stops) -> bytes:
    """A `T` packet. `breakpoint_kind`: 0 where the client asked for a software breakpoint."""
    reason = ""
    if stop.why is Why.BREAKPOINT:
        reason = "hwbreak:;" if breakpoint_kind else "swbreak:;"
    elif stop.why is Why.START:
        reason = "replaylog:begin;"
    elif stop.hit is not None:
        address = stop.hit.address
        wanted = next(
            (w.access for w in stops.watchpoints if w.address == address), WatchAccess.WRITE
        )
        reason = f"{_WATCH_NAMES[wanted]}:{address:x};"
    return f"T{_SIGNALS.get(stop.why, _SIGTRAP):02x}{reason}thread:{thread:x};".encode()

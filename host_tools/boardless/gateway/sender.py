"""Commands to the device, one on its way at a time: retries, reconnects, back-pressure.

It never waits: `step` is called as often as the caller likes. A command that is sent again keeps
its counter, so that the device acts on it once.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from boardless.gateway.carrier import Carrier, CarrierLost
from boardless.gateway.command import PING, Command, ResponseCode
from boardless.gateway.mapping import Reactions
from boardless.gateway.packets import LARGEST_COUNTER, Packet, encode
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_text, write_text

_ANSWER = re.compile(r"r- counter=(\d+) code=(\d+) last=(\d+) .*")
WAKE = b"\x00"  # an empty frame: its first edge wakes the device
WAKE_S = 0.004  # from Stop mode to a receiver that listens, with some to spare
ANSWER_S = 0.25
RETRIES = 4
HEARTBEAT_S = 2.0
RECONNECT_S = 1.0
MOST_WAITING = 16
# The device's own counter is believed only so far ahead: it is not signed.
MOST_AHEAD = 1 << 24


@dataclass(frozen=True)
class Sent:
    """A command and what became of it. Times are the caller's, in seconds."""

    command: Command
    counter: int
    decided_s: float
    first_s: float
    last_s: float
    tries: int = 1
    code: ResponseCode | None = None
    answered_s: float | None = None


@dataclass
class Statistics:
    """What happened on the way."""

    acknowledged: int = 0
    refused: int = 0
    lost: int = 0
    dropped: int = 0
    retries: int = 0
    reconnects: int = 0
    sent: list[Sent] = field(default_factory=list)


class Sender:
    """Implements the gateway's side of the link."""

    def __init__(
        self, carrier: Carrier, key: bytes, reactions: Reactions, counter_file: Path
    ) -> None:
        self._carrier, self._key, self._reactions = carrier, key, reactions
        self._counter_file = counter_file
        self._counter = _load_counter(counter_file)
        self._waiting: deque[tuple[Command, float]] = deque()
        self._on_way: Sent | None = None
        self._frame = b""
        self._frame_due_s: float | None = None
        self._quiet_since_s = -HEARTBEAT_S
        self._open = False
        self._open_again_s = -RECONNECT_S
        self.statistics = Statistics()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        return self._on_way is None and not self._waiting

    def offer(self, command: Command, now_s: float) -> None:
        """Send it as soon as the line is free; of two of one kind that wait the later one goes."""
        older = [entry for entry in self._waiting if entry[0].kind == command.kind]
        if older or len(self._waiting) == MOST_WAITING:
            self._waiting.remove(older[0] if older else self._waiting[0])
            self.statistics.dropped += 1
        self._waiting.append((command, now_s))

    def step(self, now_s: float) -> list[str]:
        """Go on as far as it goes without waiting; the device's lines since the last step."""
        try:
            if not self._connect(now_s):
                return []
            lines = self._carrier.lines()
            for line in lines:
                self._hear(line, now_s)
            self._write(now_s)
            return lines
        except CarrierLost:
            self._open = False
            self._frame_due_s = None
            return []

    def _connect(self, now_s: float) -> bool:
        if self._open:
            return True
        if now_s - self._open_again_s < RECONNECT_S:
            return False
        self._open_again_s = now_s
        self._carrier.open()
        self._open = True
        self.statistics.reconnects += 1
        if self._on_way is not None:
            self._begin(self._on_way, now_s)
        return True

    def _write(self, now_s: float) -> None:
        if self._frame_due_s is not None:
            if now_s >= self._frame_due_s:
                self._frame_due_s = None
                self._carrier.write(self._frame)
        elif self._on_way is not None:
            if now_s - self._on_way.last_s >= ANSWER_S:
                self._try_again(self._on_way, now_s)
        elif self._waiting:
            command, decided_s = self._waiting.popleft()
            self._send_new(command, decided_s, now_s)
        elif now_s - self._quiet_since_s >= HEARTBEAT_S:
            self._send_new(PING, now_s, now_s)

    def _send_new(self, command: Command, decided_s: float, now_s: float) -> None:
        if self._counter >= LARGEST_COUNTER - 1:
            raise BoardlessError("the counter is used up, expected a new key")
        self._counter += 1
        write_text(self._counter_file, f"{self._counter}\n")
        sent = Sent(command, self._counter, decided_s, now_s, now_s)
        self._frame = encode(
            Packet(self._counter, command),
            self._key,
            self._reactions.form,
            self._reactions.mac_bytes,
        )
        self._begin(sent, now_s)

    def _begin(self, sent: Sent, now_s: float) -> None:
        self._on_way = replace(sent, last_s=now_s)
        self._quiet_since_s = now_s
        self._carrier.write(WAKE)
        self._frame_due_s = now_s + WAKE_S

    def _try_again(self, sent: Sent, now_s: float) -> None:
        if sent.tries > RETRIES:
            self.statistics.lost += 1
            self._done(replace(sent, code=None))
            return
        self.statistics.retries += 1
        self._begin(replace(sent, tries=sent.tries + 1), now_s)

    def _hear(self, line: str, now_s: float) -> None:
        match = _ANSWER.fullmatch(line)
        sent = self._on_way
        if match is None or sent is None:
            return
        counter, number, last = (int(part) for part in match.groups())
        if number not in {code.value for code in ResponseCode} or counter not in (0, sent.counter):
            return
        code = ResponseCode(number)
        if code in (ResponseCode.OK, ResponseCode.REPEATED):
            if counter == sent.counter:
                self.statistics.acknowledged += 1
                self._done(replace(sent, code=code, answered_s=now_s))
        elif code == ResponseCode.OLD:
            self._follow(sent, last, now_s)
        elif code in (ResponseCode.DAMAGED, ResponseCode.TOO_LONG, ResponseCode.BUSY):
            self._on_way = replace(sent, last_s=min(sent.last_s, now_s - ANSWER_S / 2))
        else:
            self.statistics.refused += 1
            self._done(replace(sent, code=code, answered_s=now_s))

    def _follow(self, sent: Sent, last: int, now_s: float) -> None:
        """The device is ahead, as after a reset: the command goes once more, with a new counter."""
        if not self._counter <= last <= self._counter + MOST_AHEAD:
            self.statistics.refused += 1
            self._done(replace(sent, code=ResponseCode.OLD, answered_s=now_s))
            return
        self._counter = last
        self._on_way = None
        self._send_new(sent.command, sent.decided_s, now_s)

    def _done(self, sent: Sent) -> None:
        self._on_way = None
        self._frame_due_s = None
        self.statistics.sent.append(sent)


def _load_counter(path: Path) -> int:
    if not path.exists():
        return 0
    text = read_text(path, "the counter of the last packet", most=64).strip()
    if not text.isdecimal() or int(text) > LARGEST_COUNTER:
        raise BoardlessError(f"{path}: {text[:20]!r}, expected the counter of the last packet")
    return int(text)

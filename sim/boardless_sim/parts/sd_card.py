"""An SD card of high capacity, whose contents are a file (SD Physical Layer Simplified 2.00)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from boardless_sim.errors import BoardError
from boardless_sim.files import read_file
from boardless_sim.parts.part import Wires
from boardless_sim.peripherals.links.sdio import CardAnswer, Sdio

BLOCK = 512
_STEP = 512 << 10  # C_SIZE counts in these
_MOST_BYTES = 32 << 30
_RCA = 0xAAAA
_READY, _APP_CMD, _ILLEGAL, _OUT_OF_RANGE = 1 << 8, 1 << 5, 1 << 22, 1 << 31
_OCR_BUSY, _OCR_CCS, _OCR_VOLTAGES = 1 << 31, 1 << 30, 0x00FF_8000
_CID = 0x00_424C_424F_4152_4431_1000_0000_0101_6101  # "BL", "BOARD1"
_SCR = bytes([0x02, 0x35, 0, 0, 0, 0, 0, 0])  # version 2.00, both bus widths
_PROGRAMMING_NS = 250_000


class _State(IntEnum):
    """CURRENT_STATE of the card status (table 4-35)."""

    IDLE = 0
    READY = 1
    IDENT = 2
    STANDBY = 3
    TRANSFER = 4
    SENDING = 5
    RECEIVING = 6
    PROGRAMMING = 7


class SdCard:
    """Implements `Card`. Attached at "sdio:FILE"; the file itself is never written.

    `written` has the blocks that the firmware wrote, by number.
    """

    def __init__(self) -> None:
        self.written: dict[int, bytes] = {}
        self._contents = b""
        self._path = ""
        self._now_ns: Callable[[], int] = lambda: 0
        self.reset()

    def attach(self, wires: Wires, at: str) -> None:
        """Go into the slot of the SDIO, with the contents of a file."""
        bus, _, path = at.partition(":")
        slot = wires.device(bus)
        if not isinstance(slot, Sdio) or not path:
            raise BoardError(f"{at!r}, expected sdio:FILE, as sdio:card.img")
        self.fill(read_file(Path(path), "the contents of a card", BoardError, _MOST_BYTES))
        self._now_ns = wires.now_ns
        slot.card = self

    def fill(self, contents: bytes) -> None:
        """What is on the card; behind it are zeros up to the next 512 KiB."""
        self._contents = contents

    def reset(self) -> None:
        """Power-on."""
        self._state = _State.IDLE
        self._is_app = False
        self._asked = 0
        self._sending = b""
        self._address = self._left = 0
        self._block = bytearray()
        self._busy_until_ns = 0

    @property
    def blocks(self) -> int:
        """How many blocks of 512 bytes it has."""
        return max(-(-len(self._contents) // _STEP), 1) * (_STEP // BLOCK)

    def read_block(self, number: int) -> bytes:
        """A block as it is now."""
        data = self._contents[number * BLOCK : (number + 1) * BLOCK]
        return self.written.get(number) or data.ljust(BLOCK, b"\0")

    # Card

    def command(self, index: int, argument: int) -> CardAnswer | None:
        is_app, self._is_app = self._is_app, False
        if self._state is _State.PROGRAMMING and self._now_ns() >= self._busy_until_ns:
            self._state = _State.TRANSFER
        if index == 0:
            self.reset()
            return None
        handlers = self._app_commands() if is_app else {}
        handler = handlers.get(index) or self._commands().get(index)
        return handler(argument) if handler is not None else None

    def _commands(self) -> dict[int, Callable[[int], CardAnswer | None]]:
        return {
            2: self._identify, 3: self._publish, 6: self._switch, 7: self._select,
            8: lambda argument: CardAnswer(argument & 0xFFF),
            9: lambda argument: CardAnswer(self._csd(), 128),
            10: lambda argument: CardAnswer(_CID, 128),
            12: self._stop, 13: self._tell_status,
            16: self._tell_status, 17: self._read_one, 18: self._read_many, 23: self._tell_status,
            24: self._write_one, 25: self._write_many, 32: self._tell_status,
            33: self._tell_status, 38: self._tell_status, 55: self._announce,
        }  # fmt: skip

    def _app_commands(self) -> dict[int, Callable[[int], CardAnswer | None]]:
        return {
            6: self._tell_status, 13: lambda argument: self._offer(bytes(64)),
            23: self._tell_status, 41: self._power_up, 42: self._tell_status,
            51: lambda argument: self._offer(_SCR),
        }  # fmt: skip

    def _status(self, errors: int = 0) -> CardAnswer:
        ready = 0 if self._state is _State.PROGRAMMING else _READY
        return CardAnswer(self._state << 9 | ready | errors | (_APP_CMD if self._is_app else 0))

    def _tell_status(self, argument: int) -> CardAnswer:
        return self._status()

    def _announce(self, argument: int) -> CardAnswer:
        self._is_app = True
        return self._status()

    def _power_up(self, argument: int) -> CardAnswer:
        """ACMD41: the first time it is still busy (section 4.2.3)."""
        self._asked += 1
        if self._asked < 2 or not argument & _OCR_VOLTAGES:
            return CardAnswer(_OCR_VOLTAGES, has_crc=False)
        self._state = _State.READY
        return CardAnswer(_OCR_BUSY | argument & _OCR_CCS | _OCR_VOLTAGES, has_crc=False)

    def _identify(self, argument: int) -> CardAnswer:
        self._state = _State.IDENT
        return CardAnswer(_CID, 128)

    def _publish(self, argument: int) -> CardAnswer:
        answer = CardAnswer(_RCA << 16 | self._state << 9 | _READY)
        self._state = _State.STANDBY
        return answer

    def _select(self, argument: int) -> CardAnswer | None:
        answer = self._status()
        chosen = argument >> 16 == _RCA
        self._state = _State.TRANSFER if chosen else _State.STANDBY
        return answer if chosen else None

    def _csd(self) -> int:
        """Version 2.0 (table 5-16): 25 MHz, blocks of 512 bytes, C_SIZE."""
        fixed = 1 << 126 | 0x0E << 112 | 0x32 << 96 | 0x5B5 << 84 | 9 << 80
        return fixed | (self.blocks * BLOCK // _STEP - 1) << 48 | 0x7F80_0A40_4001

    def _switch(self, argument: int) -> CardAnswer:
        """CMD6: high speed is not offered (section 4.3.10)."""
        return self._offer(bytes([0, 100, *bytes(11), 1, *bytes(50)]))

    def _offer(self, data: bytes) -> CardAnswer:
        answer = self._status()
        self._sending, self._left, self._state = data, 0, _State.SENDING
        return answer

    def _read_one(self, argument: int) -> CardAnswer:
        return self._read(argument, 1)

    def _read_many(self, argument: int) -> CardAnswer:
        return self._read(argument, self.blocks - argument)

    def _read(self, argument: int, count: int) -> CardAnswer:
        if argument >= self.blocks:
            return self._status(_OUT_OF_RANGE)
        answer = self._offer(b"")
        self._address, self._left = argument, count
        return answer

    def _write_one(self, argument: int) -> CardAnswer:
        return self._write(argument, 1)

    def _write_many(self, argument: int) -> CardAnswer:
        return self._write(argument, self.blocks - argument)

    def _write(self, argument: int, count: int) -> CardAnswer:
        if argument >= self.blocks:
            return self._status(_OUT_OF_RANGE)
        answer = self._status()
        self._address, self._left, self._state = argument, count, _State.RECEIVING
        self._block.clear()
        return answer

    def _stop(self, argument: int) -> CardAnswer:
        answer = self._status()
        if self._state is _State.RECEIVING:
            self._program()
        elif self._state is _State.SENDING:
            self._state = _State.TRANSFER
        self._sending, self._left = b"", 0
        return answer

    def send(self, size: int) -> bytes:
        while len(self._sending) < size and self._left:
            self._sending += self.read_block(self._address)
            self._address, self._left = self._address + 1, self._left - 1
        data, self._sending = self._sending[:size], self._sending[size:]
        if not self._sending and not self._left and self._state is _State.SENDING:
            self._state = _State.TRANSFER
        return data

    @property
    def wants_data(self) -> bool:
        return self._state is _State.RECEIVING

    def take(self, data: bytes) -> None:
        self._block += data
        while len(self._block) >= BLOCK and self._left:
            self.written[self._address] = bytes(self._block[:BLOCK])
            del self._block[:BLOCK]
            self._address, self._left = self._address + 1, self._left - 1
        if not self._left:
            self._program()

    def _program(self) -> None:
        self._state = _State.PROGRAMMING
        self._busy_until_ns = self._now_ns() + _PROGRAMMING_NS

"""SDRAM on the memory controller."""

from __future__ import annotations

import re

from boardless_sim.errors import BoardError
from boardless_sim.parts.part import Wires

_PLACE = re.compile(r"(?P<bank>fmc:0x[0-9a-f]+)(?:,(?P<mebibytes>\d{1,3})M)?", re.IGNORECASE)
_USUAL_MEBIBYTES = 8


class Sdram:
    """At "fmc:0xd0000000": 8 MiB; at "fmc:0xc0000000,16M" as many as it says."""

    def attach(self, wires: Wires, at: str) -> None:
        """Take a bank. It holds zeros at power-on."""
        match = _PLACE.fullmatch(at)
        if match is None:
            raise BoardError(f"{at!r}, expected fmc:0xd0000000 or fmc:0xd0000000,16M")
        self.contents = bytearray(int(match["mebibytes"] or _USUAL_MEBIBYTES) << 20)
        self._base = int(match["bank"].partition(":")[2], 16)
        wires.memory(match["bank"], len(self.contents), self)

    def read(self, address: int, size: int) -> int:
        start = address - self._base
        return int.from_bytes(self.contents[start : start + size], "little")

    def write(self, address: int, size: int, value: int) -> None:
        start = address - self._base
        self.contents[start : start + size] = value.to_bytes(size, "little")

"""What a function costs in instructions, by two places that every engine can stop at."""

from __future__ import annotations

from boardless_sim.elf.image import FirmwareImage

_THUMB = 1


class CallCount:
    """Instructions of each call of one function, from its first to its return.

    An interrupt that comes in between counts too. The function does not call itself.
    """

    def __init__(self, image: FirmwareImage, function: str) -> None:
        self.entry = image.symbol(function).address
        self.counts: list[int] = []
        self._call: tuple[int, int] | None = None  # where it returns to, instructions before it

    @property
    def place(self) -> int:
        """Where the engine is to stop next: where the function is called, or then returns to."""
        return self.entry if self._call is None else self._call[0]

    def pass_by(self, link: int, instructions: int) -> None:
        """The engine stands at `place`, `instructions` after power-on; `link` is LR."""
        if self._call is None:
            self._call = link & ~_THUMB, instructions
        else:
            self.counts.append(instructions - self._call[1])
            self._call = None

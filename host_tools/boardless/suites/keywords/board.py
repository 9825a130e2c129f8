"""Keywords about the UART, the memory, the stack, faults and budgets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from robot.api import logger

from boardless.suites.keywords.area import Area, Size, board_keyword, microseconds
from boardless.suites.keywords.arguments import in_range


class BoardKeywords(Area):
    """Look at what the firmware said, and into the board."""

    @board_keyword
    def get_uart_text(self) -> str:
        """Everything the firmware said since power-on, one line a row.

        | ${text} = | Get Uart Text |
        """
        return "\n".join(line.text for line in self.rig.engine.uart_lines())

    @board_keyword
    def uart_should_contain(self, text: str) -> None:
        """Some UART line since power-on contains ``text``.

        | Uart Should Contain | m- camera ov7670 |
        """
        lines = [line.text for line in self.rig.engine.uart_lines()]
        if not any(text in line for line in lines):
            last = f"the last one is {lines[-1]!r}" if lines else "the UART is silent"
            raise AssertionError(f"no UART line contains {text!r}: {len(lines)} lines, {last}")

    @board_keyword
    def uart_should_not_contain(self, text: str) -> None:
        """No UART line since power-on contains ``text``.

        | Uart Should Not Contain | e- |
        """
        for line in self.rig.engine.uart_lines():
            if text in line.text:
                raise AssertionError(f"UART line {line.text!r} contains {text!r}")

    @board_keyword
    def get_uart_bytes(self, port: str = "USART2") -> bytes:
        """Everything that a port said since power-on, as it came.

        | ${bytes} = | Get Uart Bytes | USART3 |
        """
        return self.rig.engine.uart_bytes(port)

    @board_keyword
    def uart_bytes_should_be(self, expected: str, port: str = "USART2", at: int = 0) -> None:
        """What a port said from byte ``at`` on begins with these bytes, in hex.

        For output that is no text: a picture, a packet. It is one line in the transcript.

        | Uart Bytes Should Be | ff d8 ff e0 |
        | Uart Bytes Should Be | 55 aa 01 | port=USART3 | at=16 |
        """
        try:
            wanted = bytes.fromhex(expected)
        except ValueError:
            raise AssertionError(f"found {expected!r}, expected bytes as 'ff d8 ff'") from None
        at = in_range("at", at, 0, 1 << 40)
        said = self.rig.engine.uart_bytes(port)
        found = said[at : at + len(wanted)]
        if not wanted or found != wanted:
            raise AssertionError(
                f"{port} said {found.hex(' ') or 'nothing'} from byte {at} of {len(said)} on, "
                f"expected {wanted.hex(' ') or 'some bytes'}"
            )

    @board_keyword
    def get_virtual_time(self) -> timedelta:
        """Virtual time since power-on.

        | ${time} = | Get Virtual Time |
        """
        return timedelta(microseconds=self.rig.engine.time_us())

    @board_keyword
    def virtual_time_should_be_at_most(self, limit: timedelta) -> None:
        """Virtual time since power-on.

        | Virtual Time Should Be At Most | 2 s |
        """
        self.at_most("virtual time", self.rig.engine.time_us(), limit)

    @board_keyword
    def virtual_time_should_be_at_least(self, least: timedelta) -> None:
        """Virtual time since power-on.

        | Virtual Time Should Be At Least | 1 s |
        """
        found_us, least_us = self.rig.engine.time_us(), microseconds(least)
        if found_us < least_us:
            raise AssertionError(
                f"virtual time is {found_us / 1000:.3f} ms, expected at least "
                f"{least_us / 1000:.3f} ms ({self.rig.engine.timing_basis})"
            )

    @board_keyword
    def read_symbol(self, name: str) -> bytes:
        """The bytes of a variable of the firmware, by its name in the symbol table.

        | ${bytes} = | Read Symbol | input |
        """
        symbol = self.rig.image.symbol(name)
        return self.rig.engine.read_memory(symbol.address, symbol.size)

    @board_keyword
    def stack_should_be_at_most(self, most: Size) -> None:
        """The main stack's high-water mark since power-on.

        | Stack Should Be At Most | 2 KiB |
        """
        mark = self.rig.engine.stack_mark()
        if mark.used_bytes > most:
            raise AssertionError(
                f"stack reached {mark.used_bytes} bytes in {mark.lowest_function}, "
                f"expected at most {int(most)}"
            )

    @board_keyword
    def board_should_have_faulted(self, kind: str | None = None) -> None:
        """The CPU took a fault; ``kind`` is the exception's name.

        | Board Should Have Faulted | HardFault |
        """
        fault = self.rig.engine.fault()
        expected = kind or "a fault"
        if fault is None:
            raise AssertionError(f"no fault, expected {expected}")
        if kind is not None and fault.kind != kind:
            raise AssertionError(f"fault is {fault}, expected {kind}")

    @board_keyword
    def board_should_not_have_faulted(self) -> None:
        """The CPU took no fault.

        | Board Should Not Have Faulted |
        """
        fault = self.rig.engine.fault()
        if fault is not None:
            raise AssertionError(f"fault is {fault}, expected none")

    @board_keyword
    def board_checks_should_pass(self) -> None:
        """The firmware did nothing that the chip would not have carried.

        An error is a clock that was not enabled, a pin that is no signal's, a DMA that ran into
        another variable, and their like; a warning is only logged, unless the board was powered
        on with ``strict=True``. `[[checks.waive]]` of `boardless.toml` takes one out, for a reason
        and up to a day. ``Power Off Board`` makes the same checks.

        | Board Checks Should Pass |
        """
        engine = self.rig.engine
        if not engine.checks:
            logger.info(f"board checks: not checked, engine {engine.name} looks for none")
        failed = self.judge_board()
        if failed:
            raise AssertionError("; ".join(map(str, failed)))

    @board_keyword
    def budget_should_pass(self, elf: Path, config: Path | None = None) -> None:
        """The firmware's sizes, and its stack where a board is powered, keep their budgets.

        ``config`` is the project's `boardless.toml`; without it, the one in the current folder.

        | Budget Should Pass | build/firmware/boardless.elf | boardless.toml |
        """
        from boardless.gate import gate

        verdict = gate(elf, config, self.rig.stack_of(elf))
        if not verdict.passed:
            complaints = [row.complaint() for row in verdict.failed]
            raise AssertionError("; ".join(complaints) or verdict.line)

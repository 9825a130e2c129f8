"""Keywords that let virtual time pass."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from robot.api import SkipExecution
from robot.api.deco import keyword

from boardless.project.choice import ProjectChoice
from boardless.project.project import load_project
from boardless.running.board_checks import Rules
from boardless.running.frame_stream import FrameResult, last_line, stop_detail
from boardless.running.post_mortem import examine, in_short
from boardless.running.session import BoardSetup
from boardless.suites.keywords.area import Area, board_keyword, microseconds, robot_variable
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.engines.engine import Capability, StopReason
from boardless_sim.errors import EngineMissing

HALF_A_SECOND = timedelta(milliseconds=500)


class RunningKeywords(Area):
    """Power the board, and run until something happens."""

    @board_keyword
    def power_on_board(
        self,
        elf: Path,
        *peripherals: str,
        engine: str | None = None,
        strict: bool = False,
        config: Path | None = None,
        chip: str | None = None,
    ) -> None:
        """Puts the firmware ``elf`` on a fresh board at virtual time 0. Nothing has run yet.

        ``peripherals`` are devices of your own, as `FILE:CLASS@BASE`. With ``strict`` the use of a
        register that is not modelled fails the run. ``engine`` is `native`, `renode` or `qemu`;
        without it ``${ENGINE}`` says which, and else it is `native`. Where the engine is not
        installed the test is skipped, or fails where ``${REQUIRE ENGINE}`` names it
        (`boardless test --require-engine`). ``config`` is the file that says what the
        board is and how the firmware writes its results; without it ``${CONFIG}``, and else
        `boardless.toml` where there is one. ``chip`` goes before what it says.

        | Power On Board | build/firmware/boardless.elf |
        | Power On Board | build/firmware/boardless.elf | strict=True |
        | Power On Board | build/firmware/boardless.elf | engine=renode |
        | Power On Board | app.elf | rng.py:Rng@0x50060800 |
        """
        chosen = engine or robot_variable("${ENGINE}") or "native"
        project = load_project(_choice(config, chip), elf)
        self.rules = Rules(strict, project.waivers)
        setup = BoardSetup(
            elf,
            engine=chosen,
            strict=strict,
            peripherals=peripherals,
            contract=project.contract,
            bounds=_bounds(),
            board=project.board,
            image=project.image,
        )
        try:
            self.rig.power_on(setup)
        except EngineMissing as missing:
            self._skip(str(missing), chosen)

    @keyword
    def engine_should_offer(self, *capabilities: str) -> None:
        """Skips the test, with the reason, where the powered board's engine lacks a capability.

        Among them are `camera`, `cycles`, `memory`, `registers`, `bus faults`, `all devices
        of the board`, `stack high-water mark`, `deterministic` and `precise time`. Where
        ``${REQUIRE ENGINE}`` names the engine the test fails instead.

        A test of times asks for `precise time` right after `Power On Board`: Renode then takes
        short steps, and longer.

        | Engine Should Offer | stack high-water mark |
        | Engine Should Offer | camera | precise time |
        """
        known = {capability.value: capability for capability in Capability}
        engine = self.rig.engine
        for name in capabilities:
            if name not in known:
                raise AssertionError(f"found {name!r}, expected one of: {', '.join(known)}")
            if known[name] not in engine.capabilities:
                self._skip(f"engine {engine.name}: no {name}", engine.name)
            if known[name] is Capability.PRECISE_TIME:
                self.rig.ask_for_precise_time()

    def _skip(self, reason: str, engine: str) -> None:
        if robot_variable("${REQUIRE ENGINE}") == engine:
            raise AssertionError(f"{reason}; it is required")
        raise SkipExecution(reason)

    @keyword
    def power_off_board(self, checks: bool = True) -> None:
        """Takes the board away; harmless where there is none. Made for a teardown.

        In the teardown of a failed test it puts the board's evidence into the log. Fails for what
        ``Board Checks Should Pass`` fails for, unless ``checks`` is False.

        | Test Teardown | Power Off Board |
        | Test Teardown | Power Off Board | checks=False |
        """
        has_failed = robot_variable("${TEST STATUS}") == "FAIL"
        if has_failed:
            self.log_evidence()
        self.rig.power_off()
        failed = self.judge_board()
        if failed and checks and not has_failed:
            raise AssertionError("; ".join(map(str, failed)))

    @board_keyword
    def run_until_result(self, limit: timedelta = HALF_A_SECOND) -> dict[str, object]:
        """Runs until the firmware has answered the oldest frame without a result; returns that.

        Fails when the board stops before, or when ``limit`` of virtual time has passed. The result
        has `frame`, `name`, `label`, `class`, `score`, `line` and a `<stage>_us` for each time.

        | ${result} = | Run Until Result | limit=500 ms |
        | Should Be Equal As Integers | ${result}[class] | 7 |
        """
        limit_us = microseconds(limit)
        result = self.rig.run_until_result(limit_us)
        if result is None:
            waits_for = self.rig.waits_for
            who = "" if waits_for is None else f" for frame {waits_for.name}"
            raise AssertionError(f"no result{who}: {self._why_stopped(limit_us)}")
        return _as_dictionary(result)

    @board_keyword
    def run_for(self, duration: timedelta) -> str:
        """Runs for ``duration`` of virtual time, or until the firmware halts or faults.

        Returns why it stopped: `limit`, `halt`, `fault` or `stack`.

        | Run For | 100 ms |
        | Stop Reason Should Be | limit |
        """
        return self.rig.run(microseconds(duration)).value

    @board_keyword
    def run_until_uart_line(self, pattern: str, limit: timedelta = HALF_A_SECOND) -> str:
        """Runs until a new UART line matches the regular expression ``pattern``; returns the line.

        | Run Until Uart Line | m- camera .* pid=76 | limit=200 ms |
        """
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise AssertionError(
                f"found {pattern!r}, expected a regular expression ({error})"
            ) from error
        limit_us = microseconds(limit)
        before = len(self.rig.engine.uart_lines())
        line = self.rig.run_until_line(limit_us, lambda line: wanted.search(line.text) is not None)
        if line is None:
            came = self._came_already(wanted, before)
            why = self._why_stopped(limit_us)
            raise AssertionError(f"no UART line matches {pattern!r}{came}: {why}")
        return line.text

    @board_keyword
    def run_until_uart_text(self, text: str, limit: timedelta = HALF_A_SECOND) -> None:
        """Runs until ``text`` stands in what the firmware has sent since its last line end.

        For a prompt, which no line end follows. Time passes in steps of a millisecond.

        | Run Until Uart Text | uart:~$ | limit=100 ms |
        """
        limit_us = microseconds(limit)
        if not self.rig.run_until_text(limit_us, text):
            raise AssertionError(f"no UART text {text!r}: {self._why_stopped(limit_us)}")

    @board_keyword
    def send_to_uart(self, text: str, port: str = "USART2") -> None:
        """Feeds ``text`` into the receiver of a USART, at its baud rate. ``\\n`` is a newline.

        | Send To Uart | status\\n |
        """
        self.rig.engine.uart_send(port, text.encode())

    @board_keyword
    def stop_reason_should_be(self, expected: str) -> None:
        """Why the last run ended: `result`, `limit`, `halt`, `fault` or `stack`.

        `reset loop`, `console flood` and `host time` are the bounds of this machine.

        | Stop Reason Should Be | limit |
        """
        if expected not in {reason.value for reason in StopReason}:
            raise AssertionError(
                f"found {expected!r}, expected one of: {', '.join(r.value for r in StopReason)}"
            )
        reason = self.rig.stop_reason
        found = "none yet" if reason is None else reason.value
        if found != expected:
            raise AssertionError(f"stop reason is {found}, expected {expected}")

    def _came_already(self, wanted: re.Pattern[str], before: int) -> str:
        """Whether the line came before the keyword that waits for it: a race of the test's own."""
        for line in self.rig.engine.uart_lines()[:before]:
            if wanted.search(line.text):
                at_ms = line.time_us / 1000
                return f" from now on (one came before this keyword, at {at_ms:.3f} ms)"
        return ""

    def _why_stopped(self, limit_us: float) -> str:
        engine = self.rig.engine
        reason = self.rig.stop_reason or StopReason.LIMIT
        last = last_line(engine)
        said = "the UART is silent" if last is None else f"last UART line {last!r}"
        stands = examine(engine)
        where = "" if stands is None else f"; {in_short(stands)}"
        return f"{stop_detail(engine, reason, limit_us)}{where}; {said}"


def _choice(config: Path | None, chip: str | None) -> ProjectChoice:
    """What a keyword says, else `boardless test`."""
    named, symbols = robot_variable("${CONFIG}"), robot_variable("${SYMBOLS}")
    return ProjectChoice(
        config=config or (Path(named) if named else None),
        chip=chip or robot_variable("${CHIP}") or None,
        symbols=Path(symbols) if symbols else None,
    )


def _bounds() -> Bounds:
    """What `boardless test` says, else the usual."""
    host_s, console_bytes, resets = map(
        robot_variable, ("${HOST SECONDS}", "${CONSOLE BYTES}", "${RESETS}")
    )
    return Bounds(
        host_s=float(host_s or DEFAULT.host_s),
        console_bytes=int(console_bytes or DEFAULT.console_bytes),
        resets=int(resets or DEFAULT.resets),
    )


def _as_dictionary(result: FrameResult) -> dict[str, object]:
    return {
        "frame": result.frame,
        "name": result.name,
        "label": result.label,
        "class": result.class_index,
        "score": result.score,
        **({} if result.class_index is not None else {"values": list(result.values)}),
        "line": result.line,
        **{f"{stage}_us": time_us for stage, time_us in result.times_us.items()},
    }

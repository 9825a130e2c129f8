"""A run that hangs says where: function, calls, exception, share of time, polls, the last text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from boardless.project.waivers import CheckWaiver
from boardless.running.board_checks import Observation, Rules, judge, observe
from boardless.running.post_mortem import PostMortem, as_document, examine, in_lines, in_short
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.finding import Grade
from tests.unit.conftest import link

IN_HANDLER, NO_HANDLER, RECURSION, POLL, COPY, TASK = range(6)
UNCLOCKED = 9
RAM_TOP = "0x20020000"
TODAY = date(2026, 12, 1)
Hang = tuple[StopReason, PostMortem, tuple[Observation, ...]]


@pytest.fixture(name="hang", scope="module")
def hang_fixture(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hang]:
    def run(kind: int, top: str = RAM_TOP) -> Hang:
        folder = tmp_path_factory.mktemp("hangs")
        elf = link(folder, "-g", f"-DHANG={kind}", f"-DSTACK_TOP={top}", source="hangs.c")
        with closing(NativeEngine()) as engine:
            engine.load(load_image(elf))
            reason = engine.run(20_000)
            stands = examine(engine)
            assert stands is not None
            return reason, stands, observe(engine, stands)

    return run


def test_a_handler_that_never_returns_is_unwound_to_what_it_interrupted(
    hang: Callable[..., Hang],
) -> None:
    reason, stands, _ = hang(IN_HANDLER)
    assert reason is StopReason.LIMIT
    assert stands.function == "busy"
    assert stands.calls == ("busy", "SysTick_Handler", "<exception>", "work", "reset")
    assert stands.exception == "SysTick"
    assert stands.handler_share is not None
    assert stands.handler_share > 0.99
    assert stands.last_text == "'m- half a' on semihosting, without a line end"


def test_a_default_handler_is_a_warning(hang: Callable[..., Hang]) -> None:
    _, stands, seen = hang(NO_HANDLER)
    assert (stands.function, stands.exception) == ("Default_Handler", "PendSV")
    (row,) = judge(seen, Rules(), TODAY)
    assert str(row).startswith(
        "default-handler: PendSV has no handler of its own: it runs Default_Handler "
        "(Default_Handler at 0x"
    )
    assert not row.fails


def test_a_handler_of_its_own_is_no_default_handler(hang: Callable[..., Hang]) -> None:
    assert hang(IN_HANDLER)[2] == ()


def test_recursion_ends_where_the_stack_reaches_a_variable(hang: Callable[..., Hang]) -> None:
    reason, stands, seen = hang(RECURSION)
    assert reason is StopReason.STACK
    assert stands.calls[-2:] == ("work", "reset")
    assert set(stands.calls[:-2]) == {"deep"}
    (row,) = judge(seen, Rules(), TODAY)
    assert (row.check, row.grade) == ("stack-into-variables", Grade.ERROR)
    assert row.function == "deep"
    assert "the main stack went below 0x20000" in row.text


def test_the_stack_of_a_task_ends_with_its_variable(hang: Callable[..., Hang]) -> None:
    reason, _, seen = hang(TASK)
    assert reason is StopReason.STACK
    (row,) = judge(seen, Rules(), TODAY)
    assert "the process stack went below 0x2000" in row.text


def test_polled_registers_are_named(hang: Callable[..., Hang]) -> None:
    _, stands, _ = hang(POLL)
    assert stands.polled == ("RCC_CR",)
    assert stands.calls == ("poll", "work", "reset")
    assert stands.exception == ""


def test_a_wait_for_a_variable_polls_nothing(hang: Callable[..., Hang]) -> None:
    assert hang(COPY)[1].polled == ()  # it read RCC_AHB1ENR, once


def test_a_dma_past_its_array_names_the_member_behind_it(hang: Callable[..., Hang]) -> None:
    _, _, seen = hang(COPY)
    (row,) = judge(seen, Rules(), TODAY)
    assert row.check == "dma-past-symbol"
    assert row.text == "wrote past the end of `camera.line` (32 bytes) into `camera.guard`"
    assert row.fails


def test_strict_makes_a_warning_an_error_and_a_waiver_takes_it_out(
    hang: Callable[..., Hang],
) -> None:
    seen = hang(NO_HANDLER)[2]
    waiver = CheckWaiver("default-handler", "the board has none", TODAY)
    (strict,) = judge(seen, Rules(strict=True), TODAY)
    (waived,) = judge(seen, Rules(True, (waiver,)), TODAY)
    (late,) = judge(seen, Rules(True, (waiver,)), date(2026, 12, 2))
    assert (strict.fails, waived.fails, late.fails) == (True, False, True)
    assert str(waived).endswith("; waived: the board has none (until 2026-12-01))")


def test_the_lines_and_the_document_say_the_same(hang: Callable[..., Hang]) -> None:
    _, stands, _ = hang(IN_HANDLER)
    assert list(in_lines(stands)) == [
        f"stands in  busy at {stands.pc:#010x}",
        "called by  busy < SysTick_Handler < <exception> < work < reset",
        "exception  SysTick",
        f"handlers   {100 * (stands.handler_share or 0):.1f} % of all time",
        *(f"frame      {frame}" for frame in stands.frames),
        f"entered    SysTick {stands.entered[0][1] / 1e3:.3f} ms",
        "UART       'm- half a' on semihosting, without a line end",
    ]
    assert in_short(stands).startswith(f"in busy at pc {stands.pc:#010x}, SysTick, 99.")
    assert as_document(stands)["calls"] == list(stands.calls)


def test_a_full_stack_counts_its_frames(tmp_path: Path) -> None:
    elf = link(tmp_path, "-g", f"-DHANG={RECURSION}", "-DSTACK_TOP=0x10000800", source="hangs.c")
    with closing(NativeEngine()) as engine:
        engine.load(load_image(elf))
        assert engine.run(20_000) is StopReason.FAULT
        stands = examine(engine)
    assert stands is not None
    assert stands.overflow.startswith("stack overflow: ")
    assert stands.overflow.endswith(" frames of `deep`, 72 bytes each")
    assert stands.calls[:2] == ("Default_Handler", "<exception>")
    assert stands.calls[-2:] == ("work", "reset")
    assert "exception entry could not write the stack (STKERR)" in stands.fault


def test_a_finding_stands_at_the_access_itself(hang: Callable[..., Hang]) -> None:
    _, _, seen = hang(UNCLOCKED)
    (row,) = judge(seen, Rules(), TODAY)
    assert (row.check, row.function, row.fails) == ("clock-gate", "touch", True)
    assert row.text == "USART2_BRR: write lost, USART2 is not clocked (RCC_APB1ENR)"

"""Estimated against measured cycles, on a program whose cycles are known."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.timing.leave_one_out import CHOICES
from boardless.timing.published import (
    BoardComparison,
    Correctness,
    CycleReport,
    MeasuredSpan,
    compare,
    read_baseline,
)
from boardless_sim.core.timing import REFILL, Refill
from boardless_sim.errors import ConfigError, EngineError, ImageError
from tests.unit.core.programs import (
    NOP,
    STOP_HERE,
    VECTORS,
    assemble,
    constant,
    load,
    poke,
    store,
)
from tests.unit.elf.elf_bytes import FLASH, build_elf

REGION = MeasuredSpan("main", "main")
NOPS = 20
TEXT_AT = 0x20
MOVS_R0 = 0x2000
DEMCR, DWT_CTRL, DWT_CYCCNT = 0xE000_EDFC, 0xE000_1000, 0xE000_1004
COUNT_AT = 0x2000_0000
COUNTED = MeasuredSpan(stop="main", counter="count")


def test_ratio_and_means() -> None:
    report = CycleReport((BoardComparison("a", 80, 100, 50), BoardComparison("b", 125, 100, 50)), 1)
    assert report.geometric_mean == pytest.approx(1)
    assert report.geometric_deviation == pytest.approx(math.exp(2**0.5 * math.log(1.25)))
    assert report.within(0.15) == 0
    assert report.within(0.25) == 2
    assert report.rms_error == pytest.approx(((0.2**2 + 0.25**2) / 2) ** 0.5)


def test_an_error_is_a_part_of_what_is_printed() -> None:
    assert BoardComparison("a", 80, 100, 50).error == pytest.approx(0.25)


def test_a_program_is_held_by_the_band_of_the_others() -> None:
    programs = [
        BoardComparison(name, 100, measured, 1)
        for name, measured in zip("abc", (95, 103, 90), strict=True)
    ]
    report = CycleReport(tuple(programs), 1)
    worst = [report.worst_of_others(program) for program in programs]
    assert worst == pytest.approx([0.1, 0.1, 0.05])
    assert report.held_by_others == 2


def test_one_program_has_no_deviation_and_no_others() -> None:
    document = CycleReport((BoardComparison("a", 80, 100, 50),), 1).document()
    assert (document["geometric_deviation"], document["held_by_others"]) == (None, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{",
            "not JSON (Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1)), expected program to milliseconds",
        ),
        ("[]", "no program, expected program to milliseconds"),
        ("{}", "no program, expected program to milliseconds"),
        ('{"a": 0}', "a: found 0, expected 0 < milliseconds < 1e9"),
        ('{"a": "4"}', "a: found '4', expected 0 < milliseconds < 1e9"),
    ],
)
def test_a_baseline_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_baseline(path, 16_000_000)
    assert str(caught.value) == f"{path}: {message}"


def test_a_time_of_less_than_a_cycle_is_no_measurement(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    path.write_text('{"a": 0.01}')
    with pytest.raises(ConfigError, match="a: 0.01 ms are no cycle at 16000 Hz, expected some"):
        read_baseline(path, 16_000)


def test_milliseconds_become_cycles(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    path.write_text('{"a": 2.5}')
    assert read_baseline(path, 16_000_000) == {"a": 40_000}


def looping_elf(folder: Path, turn: Sequence[int] = (NOP,) * NOPS) -> None:
    """Its only symbol, main, stands at the head of an endless loop."""
    loop_at = 0x40
    loop = [*turn, 0xE7FE - len(turn)]  # a branch to n + 2 halfwords back
    program = bytearray(assemble([NOP] * 100))
    program[loop_at : loop_at + 2 * len(loop)] = struct.pack(f"<{len(loop)}H", *loop)
    program[TEXT_AT : TEXT_AT + 12] = b"crc 0xe714\n\0"
    (folder / "loop.elf").write_bytes(build_elf(code=bytes(program), symbol_at=FLASH + loop_at))


def measured_loop(folder: Path, check: Correctness | None = None) -> BoardComparison:
    (found,) = compare(folder, {"loop": 100}, 1000, REGION, check).comparisons
    return found


def test_a_loop_takes_its_cycles(tmp_path: Path) -> None:
    looping_elf(tmp_path)
    found = measured_loop(tmp_path)
    assert found.instructions == NOPS + 1
    assert found.estimated == NOPS + 1  # the refill of a branch belongs to where it leads
    assert found.wrong is None


def counting_elf(folder: Path, nops: int) -> None:
    """Counts some NOPs by DWT_CYCCNT into the variable count, and stays at main."""
    code = [
        *poke(DEMCR, 1 << 24),
        *poke(DWT_CTRL, 1),
        *[NOP] * nops,
        *constant(0, DWT_CYCCNT),
        *load(1, 0),
        *constant(0, COUNT_AT),
        *store(1, 0),
    ]
    main_at = FLASH + 4 * VECTORS + 2 * len(code)
    elf = build_elf(code=assemble([*code, *STOP_HERE]), symbol_at=main_at, variable_at=COUNT_AT)
    (folder / "loop.elf").write_bytes(elf)


def test_what_the_program_counted_itself(tmp_path: Path) -> None:
    found: list[BoardComparison] = []
    for nops in (0, NOPS):
        counting_elf(tmp_path, nops)
        found += compare(tmp_path, {"loop": 100}, 1000, COUNTED).comparisons
    assert found[1].estimated - found[0].estimated == NOPS
    assert 0 < found[0].estimated < 10
    assert found[0].instructions is None


def test_a_program_that_counted_nothing_is_no_measurement(tmp_path: Path) -> None:
    cleared = poke(COUNT_AT, 0)  # as start-up code does
    main_at = FLASH + 4 * VECTORS + 2 * len(cleared)
    code = assemble([*cleared, *STOP_HERE])
    elf = build_elf(code=code, symbol_at=main_at, variable_at=COUNT_AT)
    (tmp_path / "loop.elf").write_bytes(elf)
    with pytest.raises(EngineError, match=r"loop\.elf: count is 0 at main, expected cycles"):
        compare(tmp_path, {"loop": 100}, 1000, COUNTED)


B_OVER_ONE, BEQ_OVER_ONE, BX_LR, WIDE_NOP = 0xE000, 0xD000, 0x4770, [0xF3AF, 0x8000]


@pytest.mark.parametrize(
    ("turn", "paid"),
    [
        ([B_OVER_ONE, NOP, NOP], Refill(1, 0, 0, 0)),
        ([MOVS_R0 | 0, BEQ_OVER_ONE, NOP, NOP], Refill(0, 1, 0, 0)),
        ([NOP, B_OVER_ONE, NOP, *WIDE_NOP], Refill(1, 0, 0, 1)),
        ([B_OVER_ONE, NOP, B_OVER_ONE, NOP, NOP], Refill(2, 0, 0, 0)),
    ],
    ids=["direct", "conditional", "straddle", "two"],
)
def test_how_often_each_constant_was_paid(tmp_path: Path, turn: list[int], paid: Refill) -> None:
    looping_elf(tmp_path, turn)
    report = compare(tmp_path, {"loop": 100}, 1000, REGION, leave_one_out=True)
    assert report.comparisons[0].paid == paid
    assert report.leave_one_out() == ()  # there is no other program


def test_a_program_by_the_constants_of_the_others() -> None:
    """A conditional branch took 2 in one, 3 in the other; what was not paid does not matter."""
    paid = Refill(0, 40, 0, 0)
    report = CycleReport(
        (
            BoardComparison("a", 200, 200, 1, paid=paid),
            BoardComparison("b", 200, 240, 1, paid=paid),
        ),
        1,
    )
    left_out = report.leave_one_out()
    assert [program.refill.conditional for program in left_out] == [3, 2]
    assert [program.estimated for program in left_out] == [240, 200]
    document = report.document()
    assert document["left_out_within_band"] == 0
    assert document["left_out_rms_error"] == pytest.approx(
        ((0.2**2 + (1 / 6) ** 2) / 2) ** 0.5, abs=1e-4
    )


def test_constants_stay_within_the_manual() -> None:
    assert REFILL in CHOICES
    assert all(1 <= max(refill[:3]) + refill.straddle <= 3 for refill in CHOICES)
    assert Refill(3, 3, 3, 0) in CHOICES


def test_without_counts_nothing_is_left_out() -> None:
    report = CycleReport((BoardComparison("a", 80, 100, 50), BoardComparison("b", 125, 100, 50)), 1)
    assert report.leave_one_out() == ()
    assert report.document()["left_out_rms_error"] is None


def test_a_result_is_right_where_r0_is_0_at_the_end(tmp_path: Path) -> None:
    looping_elf(tmp_path, [NOP, MOVS_R0 | 0])
    assert measured_loop(tmp_path, Correctness("main")).wrong == ()
    looping_elf(tmp_path, [NOP, MOVS_R0 | 7])
    assert measured_loop(tmp_path, Correctness("main")).wrong == ("r0 is 7 at main, expected 0",)


def test_what_a_program_must_say(tmp_path: Path) -> None:
    looping_elf(tmp_path, [*constant(1, FLASH + TEXT_AT), MOVS_R0 | 4, 0xBEAB, MOVS_R0 | 0])
    assert measured_loop(tmp_path, Correctness("main", ("0xe714",))).wrong == ()
    found = measured_loop(tmp_path, Correctness("main", ("0xe714", "0x1fd7")))
    assert found.wrong == ("no line with '0x1fd7' by main, expected one",)


@pytest.mark.parametrize("region", [MeasuredSpan("begin", "main"), MeasuredSpan("main", "finish")])
def test_a_region_that_the_elf_does_not_mark(tmp_path: Path, region: MeasuredSpan) -> None:
    looping_elf(tmp_path)
    with pytest.raises(ImageError, match=r"loop\.elf: no symbol '(begin|finish)', expected one"):
        compare(tmp_path, {"loop": 100}, 1000, region)


def test_an_end_that_the_elf_does_not_have(tmp_path: Path) -> None:
    looping_elf(tmp_path)
    with pytest.raises(ImageError, match=r"loop\.elf: no symbol 'AtExit', expected one"):
        measured_loop(tmp_path, Correctness("AtExit"))


def test_a_program_of_the_baseline_without_an_elf(tmp_path: Path) -> None:
    looping_elf(tmp_path)
    with pytest.raises(ImageError, match=r"other\.elf: No such file"):
        compare(tmp_path, {"loop": 100, "other": 100}, 1000, REGION)


def test_an_elf_that_the_baseline_does_not_know(tmp_path: Path) -> None:
    looping_elf(tmp_path)
    with pytest.raises(ConfigError, match=r"loop\.elf: the baseline has no 'loop', expected it"):
        compare(tmp_path, {"other": 100}, 1000, REGION)


def test_a_region_that_is_not_reached_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "loop.elf").write_bytes(
        build_elf(code=assemble(STOP_HERE), symbol_at=FLASH + 0x100)
    )
    with pytest.raises(EngineError, match="main was not reached in 0.001 s of virtual time"):
        compare(tmp_path, {"loop": 100}, 1000, REGION, limit_us=1000)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Of the command, for the loop: what the board took at 21 kHz is what is estimated."""
    looping_elf(tmp_path)
    (tmp_path / "speed.json").write_text('{"loop": 1}')
    return [
        *("bench", "cycles", "--elfs", str(tmp_path), "--baseline", str(tmp_path / "speed.json")),
        *("--start", "main", "--stop", "main"),
    ]


def test_the_command_fails_below_the_least(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    json_path = tmp_path / "out.json"
    assert main([*options, "--hz", "21000", "--least", "1"]) == 0
    assert "1 of 1 within 15 %, geometric mean 1.000" in capsys.readouterr().out
    assert main([*options, "--hz", "42000", "--least", "1", "--json", str(json_path)]) == 1
    said = capsys.readouterr().out
    assert "FAILED     0 within the band, expected at least 1" in said
    document = json.loads(json_path.read_text())
    assert (document["schema"], document["hz"]) == (1, 42000)
    assert (document["results"][0]["ratio"], document["results"][0]["checked"]) == (0.5, None)


def test_the_command_fails_for_a_wrong_result(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    looping_elf(tmp_path, [*[NOP] * (NOPS - 1), MOVS_R0 | 1])
    json_path = tmp_path / "out.json"
    exits = ["--exit", "main", "--json", str(json_path)]
    assert main([*options, *exits, "--hz", "21000"]) == 1
    assert "FAILED     loop: r0 is 1 at main, expected 0" in capsys.readouterr().out
    assert json.loads(json_path.read_text())["results"][0]["checked"] is False


def test_the_command_says_how_good_the_constants_of_others_are(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.elf").write_bytes((tmp_path / "loop.elf").read_bytes())
    (tmp_path / "speed.json").write_text('{"loop": 1, "other": 1}')
    assert main([*options, "--hz", "21000", "--leave-one-out"]) == 0
    said = capsys.readouterr().out
    assert (
        "by constants chosen without it: 2 of 2 within 15 %, root mean square error 0.0 %" in said
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--says", "crc"], "--says needs --exit"),
        (["--stop", "finish"], "no symbol 'finish'"),
        (["--counter", "ticks"], "no symbol 'ticks'"),
        (["--baseline", "missing.json"], "missing.json: No such file"),
        (["--elfs", "missing"], "No such file"),
        (["--json", "missing/out.json"], "missing, expected one to write into"),
    ],
)
def test_a_comparison_that_cannot_be_made(
    options: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, *more]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ('{"other": 1}', "the baseline has no 'loop', expected it"),
        ('{"loop": 1, "other": 1}', "other.elf: No such file"),
        ('{"loop": 0}', "loop: found 0, expected 0 < milliseconds"),
        ('{"loop": 0.01}', "loop: 0.01 ms are no cycle at 21000 Hz"),
    ],
)
def test_a_baseline_that_does_not_fit(
    tmp_path: Path,
    options: list[str],
    baseline: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "speed.json").write_text(baseline)
    assert main([*options, "--hz", "21000"]) == 2
    assert message in capsys.readouterr().err

"""Both sides of every limit of the gate: the last figure that is kept and the first that is not."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from boardless.gate.decide import decide
from boardless.gate.diff import Baseline, cause, compare
from boardless.gate.evidence import VerdictBasis
from boardless.gate.growth import explained, growth_rows
from boardless.gate.stack_diff import StackFrame, StackPath, Stacks, stack_changes
from boardless.gate.verdict import VerdictRow
from boardless.project.budgets import Budget, Budgets, Waiver
from boardless.project.config import Config, parse_config
from boardless.project.regions import Region
from boardless.size.measure import Measurement, measure
from boardless.size.regions import Memories, memories_of, overrun, padded_bytes
from boardless_sim.elf.file import ElfFile
from boardless_sim.elf.layout import Layout, Section
from boardless_sim.errors import ConfigError
from tests.unit.default_chip import STM32F407VG

DAY = datetime.date(2027, 1, 31)
EMPTY = Baseline("base", {}, {}, {}, {}, {})
FLASH, RAM = 0x0800_0000, 0x2000_0000


def section(start: int, size: int, align: int = 4, *, name: str = ".a") -> Section:
    return Section(name, start, start, size, align, is_loaded=False)


def layout(*sections: Section) -> Layout:
    elf = ElfFile(Path("a.elf"), b"", 0, (), ())
    return Layout(Path("a.elf"), sections, (), elf)


@pytest.mark.parametrize(("gap", "counted"), [(0, 0), (4, 4), (7, 7), (8, 0), (9, 0)])
def test_a_gap_is_padding_only_where_alignment_alone_explains_it(gap: int, counted: int) -> None:
    """One of exactly the alignment would have been left out by a linker that only aligns."""
    sections = [section(RAM, 8), section(RAM + 8 + gap, 8, align=8)]
    assert padded_bytes(sections) == 16 + counted


@pytest.mark.parametrize("gap", [0, 4, 7, 8, 9])
def test_what_is_padding_in_the_total_is_padding_in_the_parts(gap: int) -> None:
    found = layout(section(RAM, 8), section(RAM + 8 + gap, 8, align=8))
    regions = {"RAM": padded_bytes(found.sections)}
    measurement = Measurement(found, regions, 16, 0, Memories((STM32F407VG[1],), ""))
    padding = sum(part.bytes for part in measurement.parts if part.kind == "padding")
    assert 16 + padding == regions["RAM"]


@pytest.mark.parametrize(
    ("address", "is_held"),
    [(RAM - 1, False), (RAM, True), (RAM + 63, True), (RAM + 64, False)],
)
def test_a_region_holds_its_first_and_its_last_byte(address: int, is_held: bool) -> None:
    assert Region("RAM", "ram", RAM, 64).holds(address) is is_held


@pytest.mark.parametrize(("size", "over"), [(63, -1), (64, 0), (65, 1)])
def test_a_region_is_overrun_from_its_first_byte_on(size: int, over: int) -> None:
    assert max(over, 0) == max(
        overrun(Region("RAM", "ram", RAM, 64), layout(section(RAM, size))), 0
    )


@pytest.mark.parametrize(("gap", "count"), [((512 << 10) - 1, 1), (512 << 10, 2)])
def test_two_banks_are_two_from_half_a_megabyte_on(gap: int, count: int) -> None:
    loaded = [
        Section(name, at, at, 16, 4, is_loaded=True, is_writable=False)
        for name, at in ((".a", FLASH), (".b", FLASH + 16 + gap))
    ]
    config = Config(Path("b.toml"), STM32F407VG[1:2])
    found = memories_of(layout(*loaded), config)
    assert len(found.regions) == count
    assert not found.have_ends


@pytest.mark.parametrize(("delta", "listed"), [(7, 0), (8, 0), (9, 1), (-8, 0), (-9, 1)])
def test_noise_is_not_listed_up_to_its_last_byte(delta: int, listed: int) -> None:
    before, after = replace(EMPTY, symbols={"a": 100}), replace(EMPTY, symbols={"a": 100 + delta})
    diff = compare(before, after, noise=8)
    assert (len(diff.symbols), diff.unchanged) == (listed, 1 - listed)


@pytest.mark.parametrize(("grown", "is_named"), [(7, False), (8, False), (9, True)])
def test_growth_within_the_noise_is_no_cause(small_elf: Path, grown: int, is_named: bool) -> None:
    """`noise` holds for the region that grew as for the symbols that made it."""
    measurement = measure(small_elf, Config(Path("b.toml"), STM32F407VG))
    before = replace(EMPTY, regions={"FLASH": 100}, symbols={"kernel_conv": 10})
    after = replace(EMPTY, regions={"FLASH": 100 + grown}, symbols={"kernel_conv": 10 + grown})
    row = VerdictRow("region", "FLASH", 100 + grown, 50)
    found = explained(row, compare(before, after, noise=8), measurement, Budgets())
    assert ("by kernel_conv" in found.cause) is is_named


def test_growth_is_explained_only_where_a_budget_is_broken(small_elf: Path) -> None:
    measurement = measure(small_elf, Config(Path("b.toml"), STM32F407VG))
    diff = compare(replace(EMPTY, regions={"FLASH": 1}), replace(EMPTY, regions={"FLASH": 90}), 8)
    kept = VerdictRow("region", "FLASH", 90, 90)
    assert explained(kept, diff, measurement, Budgets()).cause == ""
    assert explained(replace(kept, bytes=91), diff, measurement, Budgets()).cause != ""


@pytest.mark.parametrize(("delta", "is_kept"), [(16, True), (17, False), (-99, True)])
@pytest.mark.parametrize("key", ["region.FLASH", "size.kernels", "stack.bound"])
def test_the_greatest_growth_itself_is_allowed(key: str, delta: int, is_kept: bool) -> None:
    def base(size: int) -> Baseline:
        return replace(EMPTY, regions={"FLASH": size}, sizes={"kernels": size}, stack_bytes=size)

    budgets = Budgets((Budget(key, 1000, max_growth=16),))
    (row,) = growth_rows(budgets, compare(base(100), base(100 + delta), 0))
    assert row.ok is is_kept


@pytest.mark.parametrize(
    ("size", "waived", "is_kept", "over"),
    [(64, 0, True, 0), (65, 0, False, 1), (70, 6, True, 0), (71, 6, False, 1), (0, 0, True, 0)],
)
def test_the_maximum_and_what_is_waived_are_allowed(
    size: int, waived: int, is_kept: bool, over: int
) -> None:
    row = VerdictRow("size", "a", size, 64, waived=waived)
    assert (row.ok, row.over) == (is_kept, over)


@pytest.mark.parametrize("maximum", [0, 1])
def test_a_maximum_of_nothing_is_a_maximum(maximum: int) -> None:
    assert VerdictRow("size", "a", 0, maximum).ok
    assert not VerdictRow("size", "a", maximum + 1, maximum).ok
    assert not VerdictRow("size", "a", None, maximum).ok


@pytest.mark.parametrize(("day", "is_kept"), [(DAY, True), (DAY + datetime.timedelta(1), False)])
def test_a_waiver_holds_through_its_last_day(
    small_elf: Path, day: datetime.date, is_kept: bool
) -> None:
    measurement = measure(small_elf, Config(Path("b.toml"), STM32F407VG))
    budgets = Budgets((Budget("region.FLASH", 1),), (Waiver("FLASH", 1 << 20, "soon", DAY),))
    assert decide(measurement, budgets, VerdictBasis(day)).passed is is_kept


@pytest.mark.parametrize(("before", "is_noted"), [(4096, False), (4095, True), (4097, False)])
def test_a_maximum_is_raised_from_one_byte_on(small_elf: Path, before: int, is_noted: bool) -> None:
    measurement = measure(small_elf, Config(Path("b.toml"), STM32F407VG))
    base = replace(EMPTY, regions={"FLASH": 100}, maxima={"region.FLASH": before})
    budgets = Budgets((Budget("region.FLASH", 4096),))
    verdict = decide(measurement, budgets, VerdictBasis(DAY, base=base))
    assert any("maximum raised" in note for note in verdict.notes) is is_noted


@pytest.mark.parametrize(("after", "is_caused"), [(99, False), (100, False), (101, True)])
def test_a_stack_path_grew_from_one_byte_on(after: int, is_caused: bool) -> None:
    def stacks(size: int) -> Stacks:
        return Stacks({"main": StackPath("main", size)}, {"main": StackFrame(size, size)})

    found = stack_changes(stacks(100), stacks(after))
    assert [bool(path.cause) for path in found] == ([] if after == 100 else [is_caused])


@pytest.mark.parametrize(
    ("count", "said"),
    [(3, "by s2 +101, s1 +100, s0 +99"), (4, "by s3 +102, s2 +101, s1 +100 and 1 more")],
)
def test_three_symbols_are_named(count: int, said: str) -> None:
    grown = {f"s{n}": 100 + n for n in range(count)}
    before = replace(EMPTY, symbols=dict.fromkeys(grown, 1))
    assert cause(compare(before, replace(EMPTY, symbols=grown), 0)) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[budget.static-ram]\nmax = 4294967296", 1 << 32),
        (b"[budget.static-ram]\nmax = 4294967297", None),
        (b"[budget.static-ram]\nmax = -1", None),
        (b"[budget.static-ram]\nmax = 0", 0),
    ],
)
def test_a_size_is_of_32_bits(text: bytes, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(ConfigError):
            parse_config(Path("b.toml"), text)
    else:
        found = parse_config(Path("b.toml"), text).budgets.max_of("size.static-ram")
        assert found == expected


@pytest.mark.parametrize(("length", "is_refused"), [(0, True), (1, False), (0x1_0001, True)])
def test_a_region_ends_within_32_bits(length: int, is_refused: bool) -> None:
    text = f"[budget.region.X]\nkind = 'ram'\norigin = 0xFFFF0000\nlength = {length}\n"
    if is_refused:
        with pytest.raises(ConfigError, match="expected a range in 32 bits"):
            parse_config(Path("b.toml"), text.encode())
    else:
        assert parse_config(Path("b.toml"), text.encode()).regions[0].length == length

"""Tables of a profile, made by hand: numbers are never shortened, what is not known says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from boardless.report.console import WIDTH, console
from boardless.report.profile import profile_document, profile_tables
from boardless.timing.profile.costs import FunctionCost, LayerCost, Stage, label
from boardless.timing.profile.firmware_network import Layer
from boardless.timing.profile.recording import Profile
from boardless.timing.profile.sampling import ASLEEP
from boardless_sim.timing_basis import TimingBasis

CONV = Layer(0, "average pool", (13, 13), (160, 160, 128), (160, 160, 128), 8, 1, 99_999_999, 64)
POOL = Layer(1, "max pool", (2, 2), (4, 4, 8), (2, 2, 8), 8, 1, 0, 160)
COST = FunctionCost(2, 111_111_110, 99_999_998, 0, 1_234)
KERNEL = "nn_plain_average_pool_of_a_long_name"


def profile() -> Profile:
    return Profile(
        elf=Path("app.elf"),
        sha256="00",
        timing_basis=TimingBasis("fake cycles", 15),
        hz=168_000_000,
        frames=2,
        cycles=222_222_220,
        instructions=199_999_998,
        sleep_cycles=22_222_220,
        stages=(Stage("infer", "nn_run", replace(COST, cycles=133_333_330)),),
        layers=(
            LayerCost(CONV, COST, 123_392),
            LayerCost(POOL, FunctionCost(2, 50, 40, 0, 8), None),
        ),
        stacks={
            ("main", ASLEEP): 22_222_220,
            ("main", "nn_run", label(CONV), "nn_backend_run", "nn_plain_run", KERNEL): 100_000_000,
            ("main",): 100_000_000,
        },
        every_cycles=997,
        samples=222_889,
        knows_callers=True,
    )


def lines_of(found: Profile, top: int = 2) -> list[str]:
    screen = console()
    with screen.capture() as captured:
        screen.print(profile_tables(found, top))
    return [line.rstrip() for line in captured.get().splitlines()]


def row_of(lines: list[str], start: str) -> list[str]:
    (row,) = (line for line in lines if line.startswith(start))
    return row.split()


def test_numbers_are_never_shortened() -> None:
    lines = lines_of(profile())
    assert max(map(len, lines)) <= WIDTH
    assert row_of(lines, "0 average pool")[-7:] == [
        *("55,555,555", "49,999,999", "99,999,999", "0.56", "330.688", "1,234", "123,456")
    ]
    assert row_of(lines, "0 average pool")[:5] == ["0", "average", "pool", "13×1…", "plain_ave…"]


def test_stages_and_what_is_left_make_the_frame() -> None:
    lines = lines_of(profile())
    assert row_of(lines, "infer")[2] == "66,666,665"
    assert row_of(lines, "everything else")[2] == "44,444,445"
    assert row_of(lines, "frame")[1] == "111,111,110"
    assert row_of(lines, "everything else")[4:6] == ["25.0", "%"]


def test_a_layer_without_multiplications_has_no_ratio_and_one_never_sampled_no_kernel() -> None:
    cells = ["-", "25", "20", "0", "-", "0.000", "8", "160"]
    assert row_of(lines_of(profile()), "1 max pool")[-8:] == cells


def test_functions_are_parts_of_the_time_awake() -> None:
    lines = lines_of(profile())
    assert row_of(lines, "main")[1:] == ["50,000,000", "50.0", "%", "100.0", "%"]
    assert row_of(lines, KERNEL)[1:] == ["50,000,000", "50.0", "%", "50.0", "%"]
    assert not any(line.startswith(KERNEL) for line in lines_of(profile(), top=1))


def test_what_is_not_known_is_said() -> None:
    lines = lines_of(replace(profile(), layers=(), stages=(), knows_callers=False, frames=None))
    assert any(line.startswith("layers     none: no nn_backend_run") for line in lines)
    assert any(line.startswith("callers    unknown: the ELF has no .debug_frame") for line in lines)
    assert any(line.startswith("costs      the whole run") for line in lines)


def test_a_core_that_never_woke_has_no_functions() -> None:
    asleep = replace(profile(), cycles=10, sleep_cycles=10, stacks={(ASLEEP,): 10}, stages=())
    assert not any("%" in line and "±" not in line for line in lines_of(replace(asleep, layers=())))


def test_the_document_has_every_layer_whole() -> None:
    document = profile_document(profile())
    assert document["layers"][0] == {  # type: ignore[index]
        "layer": 0,
        "kind": "average pool 13×13",
        "kernel": KERNEL,
        "input": [160, 160, 128],
        "output": [160, 160, 128],
        "bits": 8,
        "macs": 99_999_999,
        "calls": 2,
        "cycles": 111_111_110,
        "instructions": 99_999_998,
        "sleep_cycles": 0,
        "stack_bytes": 1_234,
        "ram_bytes": 123_456,
        "work_bytes": 123_392,
    }

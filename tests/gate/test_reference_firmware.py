"""The gate on the firmware that `make firmware` left behind."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.gate import gate
from boardless.running.classify import measure_stack
from boardless.stack import StackAnnotations, analyse_stack
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.elf.layout import read_layout
from boardless_sim.engines.engine import StackMark
from boardless_sim.engines.native.engine import NativeEngine
from tests.opens import opens

ROOT = Path(__file__).parents[2]
ELF = ROOT / "build/firmware/boardless.elf"
CONFIG = ROOT / "boardless.toml"
SHALLOW = StackMark(used_bytes=8, lowest_address=0x2000_0FF8, lowest_function="main")


@pytest.fixture(autouse=True)
def built() -> None:
    assert ELF.is_file(), f"{ELF} is not there: make firmware"


def test_flash_is_as_long_as_the_image_that_is_flashed(tmp_path: Path) -> None:
    binary = tmp_path / "boardless.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", ELF, binary], check=True)
    rows = {row.name: row.bytes for row in gate(ELF, CONFIG, SHALLOW).rows}
    assert rows["FLASH"] == binary.stat().st_size


def test_model_keeps_its_8_kib(tmp_path: Path) -> None:
    budgets = tmp_path / "boardless.toml"
    budgets.write_text("[budget.model]\nmax = 8192\n")
    assert gate(ELF, budgets).passed


def test_no_table_of_the_network_hides_outside_the_model_section() -> None:
    layout = read_layout(ELF)
    model = next(section for section in layout.sections if section.name == ".model")
    tables = [
        symbol
        for symbol in layout.symbols
        if symbol.name.startswith(("weights_", "biases_", "multipliers_", "shifts_"))
    ]
    assert tables
    for table in tables:
        assert model.address <= table.address < model.address + model.size, table.name


def test_committed_budgets_hold(tmp_path: Path) -> None:
    document = tmp_path / "budget.json"
    assert main(["budget", str(ELF), "--config", str(CONFIG), "--json", str(document)]) == 0
    verdict = json.loads(document.read_text())
    assert verdict["verdict"] == "pass"
    stack = verdict["stack"]
    assert 0 < stack["measured"]["bytes"] <= stack["bound"]["bytes"]
    assert stack["bound"]["grade"] == "annotated"


def test_a_run_takes_each_function_of_the_worst_path_as_deep_as_the_elf_says(
    tmp_path: Path,
) -> None:
    document = tmp_path / "budget.json"
    main(["budget", str(ELF), "--config", str(CONFIG), "--json", str(document)])
    stack = json.loads(document.read_text())["stack"]
    measured, depth = stack["measured"]["functions"], 0
    assert max(measured.values()) <= stack["measured"]["bytes"]
    for step in stack["bound"]["path"]:
        depth += step["bytes"]
        assert measured[step["function"]] <= depth
    assert measured["main"] == sum(step["bytes"] for step in stack["bound"]["path"][:2])


def test_every_function_takes_the_frame_that_the_elf_says() -> None:
    """How deep its code took SP, less how deep SP stood at its deepest call."""
    functions, deepest = analyse_stack(ELF, StackAnnotations()).functions, dict[int, int]()
    top = load_image(ELF).initial_sp
    with closing(NativeEngine()) as engine:
        engine.load(load_image(ELF))

        def enter(address: int) -> None:
            depth = top - engine.read_register("sp")
            deepest[address] = max(depth, deepest.get(address, 0))

        for function in functions:
            engine.watch(function.address, partial(enter, function.address))
        mark = measure_stack(engine, open_frames("pattern:bars", limit=2)).mark
    executed = [function for function in functions if function.address in deepest]
    assert len(executed) > 50
    for function in executed:
        at_entry = deepest[function.address]
        reached = max(mark.functions.get(name, 0) for name in function.names)
        assert max(reached, at_entry) == at_entry + function.own_bytes, function.name


def test_a_run_deeper_than_the_bound_is_exit_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bound of a program that starts elsewhere, against a run of the whole one."""
    budgets = tmp_path / "boardless.toml"
    text = CONFIG.read_text().partition("[budget.stack.interrupts.level]")[2]
    handlers = ", ".join(f'"{name}"' for name in re.findall(r'"(\w+_(?:IRQ)?Handler)"', text))
    budgets.write_text(
        '[budget.stack]\nentry = "SysTick_Handler"\nmax = "64K"\nmeasured-max = "64K"\n'
        f"[budget.stack.interrupts.level]\nall = [{handlers}]\n"
    )
    assert main(["budget", str(ELF), "--config", str(budgets)]) == 3
    said = capsys.readouterr()
    assert re.search(
        rf"{ELF}: a run used \d+ bytes of stack \(deepest in \w+\), expected at most the bound",
        said.err,
    )
    assert "PASS" not in said.out


@pytest.mark.parametrize(
    ("kept", "broken"),
    [
        ('[budget.model]\nmax = "8K"', "[budget.model]\nmax = 4096"),
        ("measured-max", "measured-max = 4 #"),
        ("max = 1024\nm", "max = 512\nm"),
        ('symbol = "nn_*"', 'symbol = "nnn_*"'),
    ],
)
def test_one_broken_budget_is_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: str, broken: str
) -> None:
    text = CONFIG.read_text()
    assert kept in text
    budgets = tmp_path / "boardless.toml"
    text = text.replace('artifact = "', f'artifact = "{ROOT}/')
    budgets.write_text(text.replace(kept, broken))
    assert main(["budget", str(ELF), "--config", str(budgets)]) == 1
    assert capsys.readouterr().out.lstrip().startswith("FAIL ")


def test_budgets_that_are_not_understood_are_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budgets = tmp_path / "boardless.toml"
    budgets.write_text("[budget.modle]\nmax = 1\n")
    assert main(["budget", str(ELF), "--config", str(budgets)]) == 2
    assert f"{budgets}: [budget] unknown key 'modle', expected 'model'?" in capsys.readouterr().err


def test_sizes_stack_run_and_model_come_from_one_opening(tmp_path: Path) -> None:
    """The board runs the very bytes that were measured; the model's digest is theirs too."""
    report = tmp_path / "verdict.json"
    assert opens(ELF, "budget", ELF, "--config", CONFIG, "--json", report) == "opened 1"

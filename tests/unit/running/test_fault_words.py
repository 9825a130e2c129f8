"""A fault in words: instruction and operands, whose the address is, what calls worked on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from boardless.running.post_mortem import PostMortem, as_document, examine, in_lines
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from tests.unit.conftest import link

CALL, STORE, DIVIDE, UNDEFINED = range(4)
Fault = Callable[..., PostMortem]


@pytest.fixture(name="fault", scope="module")
def fault_fixture(tmp_path_factory: pytest.TempPathFactory) -> Fault:
    def run(kind: int, *options: str) -> PostMortem:
        folder: Path = tmp_path_factory.mktemp("faults")
        elf = link(folder, "-g", f"-DFAULT={kind}", *options, source="faults.c")
        with closing(NativeEngine()) as engine:
            engine.load(load_image(elf))
            assert engine.run(1_000) is StopReason.FAULT
            stands = examine(engine)
        assert stands is not None
        return stands

    return run


@pytest.mark.parametrize("options", [(), ("-O0",), ("-Og", "-gdwarf-4")])
def test_a_call_through_a_null_pointer_is_named_where_it_was_made(
    fault: Fault, options: tuple[str, ...]
) -> None:
    stands = fault(CALL, *options)
    assert stands.fault.startswith("HardFault at pc 0x00000000 in ? from dispatch (CFSR 0x00020000")
    assert stands.instruction.startswith("call r")
    assert " in dispatch, r" in stands.instruction
    assert stands.instruction.endswith(" = 0x00000000")
    assert [frame.function for frame in stands.frames] == ["dispatch", "work", "reset"]
    (nobody,) = stands.frames[1].variables
    assert str(nobody) == 'nobody = {run = 0x00000000, argument = -5, name = "lens"}'
    assert nobody.is_argument is False


def test_a_store_past_sram_tells_operands_address_and_arguments(fault: Fault) -> None:
    stands = fault(STORE, "-O0")
    assert stands.instruction.startswith("store to [r")
    assert stands.address.endswith(" bytes behind the end of SRAM")
    store = stands.frames[0]
    assert store.function == "store"
    assert store.place.endswith("faults.c:36")
    said = {variable.name: variable.text for variable in store.variables}
    assert said["index"] == "65536"
    assert (said["value"], said["mode"], said["pair"]) == ("-2", "BUSY", "{11, 12}")
    assert [variable.is_argument for variable in store.variables] == [True] * 4 + [False]


def test_a_division_names_what_it_divides_by(fault: Fault) -> None:
    stands = fault(DIVIDE)
    assert stands.instruction.startswith("divide r")
    assert stands.instruction.endswith(" = 0x00000000")
    assert "division by zero (DIVBYZERO)" in stands.fault


def test_the_last_exceptions_are_told(fault: Fault) -> None:
    stands = fault(UNDEFINED)
    assert stands.instruction == "undefined instruction de07"
    ((name, at_us),) = stands.entered
    assert name == "HardFault"
    assert 0 < at_us < 1_000


def test_lines_and_document_say_the_same(fault: Fault) -> None:
    stands = fault(STORE, "-O0")
    lines, document = list(in_lines(stands)), as_document(stands)
    assert f"at         {stands.instruction}" in lines
    assert f"address    {stands.address}" in lines
    assert f"frame      {stands.frames[0]}" in lines
    assert any(line.startswith("entered    HardFault 0.0") for line in lines)
    frames = document["frames"]
    assert isinstance(frames, list)
    assert frames[0]["variables"]["mode"] == "BUSY"
    assert document["instruction"] == stands.instruction


def test_without_debug_information_there_are_no_variables(fault: Fault) -> None:
    stands = fault(STORE, "-g0", "-O0")
    assert all(frame.variables == () and frame.place == "" for frame in stands.frames)
    assert stands.instruction.startswith("store to [r")

"""What a failed test leaves behind, opened by a real GDB; and a debugger let in where it fails."""

from __future__ import annotations

import re
import select
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from boardless.debug.server import LOOPBACK
from boardless.running.core_dump import read_core, write_core
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError
from tests.firmware.conftest import BUILD
from tests.firmware.test_gdb import LIMIT_S, Client, gdb, served_by
from tests.unit.conftest import link

OVERFLOW = ("-g", "-DHANG=2", "-DSTACK_TOP=0x10000800")

SUITE = """\
*** Settings ***
Library    Boardless

*** Test Cases ***
A Line That Never Comes
    Power On Board    ${FIRMWARE}
    Run Until Uart Line    it never says this    50 ms
"""


@pytest.fixture(name="core", scope="module")
def fixture_core(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder, and the ELF."""
    folder = tmp_path_factory.mktemp("core")
    elf = link(folder, *OVERFLOW, source="hangs.c")
    with closing(NativeEngine()) as engine:
        engine.load(load_image(elf))
        engine.run(20_000)
        assert write_core(engine, folder)
    return folder, elf


def test_gdb_sees_registers_memory_devices_and_the_stack(core: tuple[Path, Path]) -> None:
    folder, elf = core
    with served_by("debug", "--core", str(folder)) as (port, _):
        said = gdb(
            port, "info registers pc msp", "x/i $pc", "p/x *(int*)0xE000ED28", "p victim[0]",
            "monitor fault", "monitor peripherals RCC", "p/x *(int*)0x40023800", "stepi", "p $d0",
            elf=elf,
        )  # fmt: skip
    assert "Default_Handler" in said
    assert "= 0x9200" in said  # CFSR: STKERR, PRECISERR, BFARVALID (DDI 0403E, B3.2.15)
    assert "stack overflow: " in said
    assert "RCC_CR " in said
    assert re.search(r"RCC_CR +0x0000\w{4}", said)
    assert "this is a core that a test left: it does not run" in said


def test_a_core_is_the_board_it_was_taken_from(core: tuple[Path, Path]) -> None:
    folder, elf = core
    found = read_core(folder)
    image = load_image(elf)
    assert (found.sha256, found.elf) == (image.sha256, str(elf))
    assert found.registers["pc"] == image.symbol("Default_Handler").address
    assert {memory.name for memory in found.memories} >= {"Flash", "SRAM", "CCM"}
    assert found.devices["FLASH"]["FLASH_OPTCR"][1] == 0x0FFF_AAED  # RM0090, 3.9.10


@pytest.mark.parametrize(
    ("name", "content"),
    [("core.json", b"{}"), ("core.json", b"["), ("core.json", b'{"form": 2}'), ("core.bin", b"x")],
)
def test_a_damaged_core_is_refused(
    core: tuple[Path, Path], tmp_path: Path, name: str, content: bytes
) -> None:
    for kept in core[0].glob("core.*"):
        (tmp_path / kept.name).write_bytes(kept.read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EngineError, match="expected a core that a failed test has left"):
        read_core(tmp_path)


def test_a_failing_keyword_leaves_a_core_and_lets_a_debugger_in(tmp_path: Path) -> None:
    (tmp_path / "line.robot").write_text(SUITE)
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "boardless", "test", str(tmp_path), "--out", str(tmp_path / "out"),
        "--elf", str(BUILD / "boardless.elf"), "--cores", "--debug", str(port),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        with closing(_connected(port, run)) as client:
            assert client.ask(b"?").startswith(b"T05")
            assert client.ask(b"vCont;s").startswith(b"T05")
            assert client.ask(b"D") == b"OK"
        assert run.wait(LIMIT_S) == 1
    kept = tmp_path / "out" / "cores" / "A_Line_That_Never_Comes"
    assert read_core(kept).time_us == pytest.approx(50_000, abs=1)


def _connected(port: int, run: subprocess.Popen[bytes]) -> Client:
    """As soon as the keyword has failed."""
    while run.poll() is None:
        try:
            return Client(port)
        except ConnectionRefusedError:
            select.select([], [], [], 0.05)  # the server's process tells nobody when it listens
    pytest.fail("the run ended without a debugger")

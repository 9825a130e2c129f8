"""The kernels on a Cortex-M4 in Unicorn: symbols by name, calls without arguments."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import unicorn
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from unicorn import arm_const

from boardless_models.graph.graph import Graph
from boardless_models.graph.kernels import Backend
from boardless_models.graph.reference import run_graph
from boardless_models.int8.scaling import Rounding
from boardless_models.int8.score import decide
from tests.nn.host import GENERATED, KERNELS, WARNINGS, kernel_sources
from tests.nn.random_graphs import random_frames

FLASH, FLASH_BYTES = 0x0800_0000, 0x10_0000
RAM, RAM_BYTES = 0x2000_0000, 0x2_0000
RETURN_TO = FLASH + FLASH_BYTES - 0x100
INSTRUCTION_LIMIT = 60_000_000
NAME_BYTES = 32
FRAMES = 5
FLAGS = (
    *("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2"),
    *("-ffunction-sections", "-fdata-sections"),
)


@dataclass(frozen=True)
class CmsisNn:
    """A CMSIS-NN that somebody has built: its headers, and its library."""

    include: Path
    library: Path


def options(backend: Backend, rounding: Rounding) -> tuple[str, ...]:
    """What the kernels and the model are both built with."""
    return (
        *FLAGS,
        f"-DNN_BACKEND=NN_BACKEND_{backend.upper()}",
        f"-DNN_DOUBLE_ROUNDING={int(rounding == 'double')}",
        # One build of the kernels runs every model of the tests.
        "-DNN_M4_KERNELS=NN_M4_ALL",
        *("-I", str(KERNELS)),
    )


def compile_kernels(
    folder: Path,
    backend: Backend = "m4",
    rounding: Rounding = "single",
    cmsis: CmsisNn | None = None,
) -> list[Path]:
    """The objects of one back end, and the library that it calls."""
    objects: list[Path] = []
    headers = ["-isystem", str(cmsis.include)] if cmsis else []
    for source in kernel_sources(backend):
        objects.append(folder / f"{source.stem}.o")
        command = ["arm-none-eabi-gcc", *WARNINGS, *options(backend, rounding), "-fstack-usage"]
        subprocess.run([*command, *headers, "-c", source, "-o", objects[-1]], check=True)
    return [*objects, cmsis.library] if cmsis else objects


def link(
    folder: Path,
    objects: list[Path],
    generated: Path = GENERATED,
    *,
    backend: Backend = "m4",
    rounding: Rounding = "single",
) -> Path:
    """A program of the kernels, a model and the harness."""
    elf, here = folder / "harness.elf", Path(__file__).parent
    subprocess.run(
        [
            *("arm-none-eabi-gcc", *WARNINGS, *options(backend, rounding), "-I", str(generated)),
            *(str(generated / "model.c"), str(here / "harness.c"), *map(str, objects)),
            *("-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs"),
            *("-Wl,--no-warn-rwx-segments", "-Wl,-e,harness_run"),
            *("-Wl,-T", str(here / "harness.ld"), "-o", str(elf)),
        ],
        check=True,
    )
    return elf


class CortexM4:
    """One program in Unicorn."""

    def __init__(self, elf_path: Path) -> None:
        # Unicorn's Python face carries no types.
        mode = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        engine: Any = vars(unicorn)["Uc"]
        self._uc = engine(unicorn.UC_ARCH_ARM, mode)
        self._uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self._uc.mem_map(FLASH, FLASH_BYTES)
        self._uc.mem_map(RAM, RAM_BYTES)
        with elf_path.open("rb") as stream:
            elf = ELFFile(stream)
            for segment in elf.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self._uc.mem_write(segment["p_vaddr"], segment.data())
            table = elf.get_section_by_name(".symtab")
            assert isinstance(table, SymbolTableSection)
            self._symbols: dict[str, int] = {s.name: s["st_value"] for s in table.iter_symbols()}

    def write(self, name: str, content: bytes) -> None:
        self._uc.mem_write(self._symbols[name], content)

    def read(self, name: str, size_bytes: int) -> bytes:
        return bytes(self._uc.mem_read(self._symbols[name], size_bytes))

    def text(self, address: int) -> str:
        return bytes(self._uc.mem_read(address, NAME_BYTES)).split(b"\0")[0].decode("ascii")

    def call(self, name: str) -> int:
        self._uc.reg_write(arm_const.UC_ARM_REG_SP, RAM + RAM_BYTES)
        self._uc.reg_write(arm_const.UC_ARM_REG_LR, RETURN_TO | 1)
        self._uc.emu_start(self._symbols[name] | 1, RETURN_TO, count=INSTRUCTION_LIMIT)
        assert self._uc.reg_read(arm_const.UC_ARM_REG_PC) == RETURN_TO, "no end within the limit"
        return int(self._uc.reg_read(arm_const.UC_ARM_REG_R0))

    def kernel(self, layer: int) -> str:
        """Which kernel runs a layer."""
        self.write("harness_layer", layer.to_bytes(4, "little"))
        return self.text(self.call("harness_kernel"))

    def result(self) -> tuple[int, int]:
        """The class and the score of nn_result."""
        found = self.read("harness_result", 3)
        return int.from_bytes(found[:2], "little"), found[2]

    def count(self, name: str) -> int:
        executed = [0]

        def step(*_: object) -> None:
            executed[0] += 1

        hook = self._uc.hook_add(unicorn.UC_HOOK_CODE, step)
        try:
            assert self.call(name) == 0
        finally:
            self._uc.hook_del(hook)
        return executed[0]


def same_as_reference(board: CortexM4, graph: Graph, seed: int) -> None:
    """Every byte of every layer, the class and the score, on a few random frames."""
    frames = random_frames(seed, FRAMES, graph.values[graph.input].shape)
    outputs = run_graph(graph, frames)
    for number, frame in enumerate(frames):
        board.write("harness_frame", frame.tobytes())
        assert board.call("harness_observe") == 0
        expected = b"".join(output[number].tobytes() for output in outputs)
        found = board.read("harness_outputs", len(expected))
        if found != expected:
            at = next(
                i for i, pair in enumerate(zip(found, expected, strict=True)) if len({*pair}) > 1
            )
            raise AssertionError(f"frame {number}, byte {at}: {found[at]}, expected {expected[at]}")
        decision = decide(outputs[-1][number].reshape(-1), graph.score_step)
        assert board.result() == (decision.class_index, decision.score)

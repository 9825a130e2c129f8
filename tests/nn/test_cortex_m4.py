"""The same kernels on a Cortex-M4, where the DSP instructions take the place of plain C."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import unicorn
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from unicorn import arm_const

from boardless_models.artifact import QuantizedNetwork, artifact_sha256, load_artifact
from boardless_models.export import export
from boardless_models.golden import Golden
from boardless_models.reference import infer
from tests.nn.host import GENERATED, KERNELS, REPOSITORY, WARNINGS

FLASH, FLASH_BYTES = 0x0800_0000, 0x10_0000
RAM, RAM_BYTES = 0x2000_0000, 0x2_0000
RETURN_TO = FLASH + FLASH_BYTES - 0x100
INSTRUCTION_LIMIT = 4_000_000
# What one inference of this model may cost; emulation and battery pay by the instruction.
INSTRUCTION_BUDGET = 800_000
INSTRUCTION_BUDGET_4BIT = 1_200_000
FLAGS = (
    *("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2"),
    *("-ffunction-sections", "-fdata-sections"),
)


def link(folder: Path, generated: Path = GENERATED) -> Path:
    elf = folder / "harness.elf"
    here = Path(__file__).parent
    sources = [*sorted(KERNELS.glob("*.c")), generated / "model.c", here / "harness.c"]
    subprocess.run(
        [
            *("arm-none-eabi-gcc", *WARNINGS, *FLAGS, "-fstack-usage"),
            *("-I", str(KERNELS), "-I", str(generated)),
            *(str(source) for source in sources),
            *("-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs"),
            *(
                "-Wl,--no-warn-rwx-segments",
                "-Wl,-e,harness_run",
                "-Wl,-T",
                str(here / "harness.ld"),
            ),
            *("-o", str(elf)),
        ],
        check=True,
        cwd=folder,
    )
    return elf


class CortexM4:
    """The harness in Unicorn: symbols by name, calls without arguments."""

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

    def call(self, name: str) -> int:
        self._uc.reg_write(arm_const.UC_ARM_REG_SP, RAM + RAM_BYTES)
        self._uc.reg_write(arm_const.UC_ARM_REG_LR, RETURN_TO | 1)
        self._uc.emu_start(self._symbols[name] | 1, RETURN_TO, count=INSTRUCTION_LIMIT)
        assert self._uc.reg_read(arm_const.UC_ARM_REG_PC) == RETURN_TO, "no end within the limit"
        return int(self._uc.reg_read(arm_const.UC_ARM_REG_R0))

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


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link(tmp_path_factory.mktemp("m4"))


@pytest.fixture
def board(elf: Path) -> CortexM4:
    # Fresh for each test: a hook sees no code that Unicorn translated before it was added.
    return CortexM4(elf)


def test_every_layer_equals_the_golden_vectors(board: CortexM4, golden: Golden) -> None:
    for index, frame in enumerate(golden.frames):
        board.write("harness_frame", frame.tobytes())
        assert board.call("harness_observe") == 0
        expected = b"".join(outputs[index].tobytes() for outputs in golden.outputs)
        assert int.from_bytes(board.read("harness_output_bytes", 4), "little") == len(expected)
        assert board.read("harness_outputs", len(expected)) == expected, f"frame {index}"
        decision = (golden.classes[index], golden.scores[index])
        assert tuple(board.read("harness_result", 2)) == decision


def test_one_inference_stays_within_its_instructions(
    board: CortexM4, golden: Golden, quantized: QuantizedNetwork
) -> None:
    board.write("harness_frame", golden.frames[0].tobytes())
    executed = board.count("harness_run")
    # No instruction does more than two multiplications.
    assert sum(stage.macs for stage, _ in quantized.staged()) // 2 < executed
    assert executed <= INSTRUCTION_BUDGET


def test_4bit_weights_equal_the_reference_within_their_instructions(
    tmp_path: Path, golden: Golden
) -> None:
    path = REPOSITORY / "models" / "artifacts" / "fashion_mnist_4bit.npz"
    packed = load_artifact(path)
    export(packed, artifact_sha256(path), tmp_path / "generated")
    elf = link(tmp_path, tmp_path / "generated")
    board = CortexM4(elf)
    for frame in golden.frames[:5]:
        board.write("harness_frame", frame.tobytes())
        assert board.call("harness_observe") == 0
        expected = b"".join(output.tobytes() for output in infer(packed, frame).outputs)
        assert board.read("harness_outputs", len(expected)) == expected
    counted = CortexM4(elf)
    counted.write("harness_frame", golden.frames[0].tobytes())
    executed = counted.count("harness_run")
    assert executed <= INSTRUCTION_BUDGET_4BIT

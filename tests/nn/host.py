"""The plain kernels as a shared library on the host, and what they put out for a frame."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[2]
KERNELS = REPOSITORY / "firmware" / "nn"
GENERATED = REPOSITORY / "firmware" / "generated"
WARNINGS = (
    *("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wundef"),
    *("-Wdouble-promotion", "-Wmissing-prototypes", "-fno-common"),
)
SPARE_BYTES = 64
UNTOUCHED = 0xA5


class NnResult(ctypes.Structure):
    """nn_result."""

    _fields_ = (("class_index", ctypes.c_uint16), ("score", ctypes.c_uint8))


OBSERVER = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_int8), ctypes.c_uint32
)


@dataclass(frozen=True)
class HostRun:
    """What nn_run returned, and every layer's output as bytes."""

    status: int
    class_index: int
    score: int
    outputs: tuple[bytes, ...]


class HostNn:
    """One compiled model: nn_run behind a Python face."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._model = ctypes.addressof(ctypes.c_char.in_dll(self._library, "model_network"))
        self._library.nn_scratch_bytes.argtypes = [ctypes.c_void_p]
        self._library.nn_scratch_bytes.restype = ctypes.c_uint32
        self._library.nn_run.argtypes = [
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(NnResult)),
        ]
        self._library.nn_run.restype = ctypes.c_int

    @property
    def scratch_bytes(self) -> int:
        return int(self._library.nn_scratch_bytes(self._model))

    def symbol(self, name: str, size_bytes: int) -> bytes:
        return bytes((ctypes.c_uint8 * size_bytes).in_dll(self._library, name))

    def run(
        self,
        frame: NDArray[np.uint8],
        scratch_bytes: int | None = None,
        misalignment: int = 0,
        observed: bool = True,
    ) -> HostRun:
        """Infer one frame in scratch full of noise; what lies behind the scratch must survive."""
        size = self.scratch_bytes if scratch_bytes is None else scratch_bytes
        room = np.full(size // 4 + 2 * SPARE_BYTES, UNTOUCHED * 0x01010101, np.uint32)
        pixels = np.ascontiguousarray(frame)
        outputs: list[bytes] = []

        def keep(_context: int, layer: int, output: ctypes._Pointer[ctypes.c_int8], n: int) -> None:
            assert layer == len(outputs)
            outputs.append(ctypes.string_at(output, n))

        observer = OBSERVER(keep) if observed else OBSERVER()
        result = NnResult(UNTOUCHED, UNTOUCHED)
        start = room.ctypes.data + misalignment
        status = self._library.nn_run(
            self._model, pixels.ctypes.data, start, size, observer, None, ctypes.byref(result)
        )
        behind = room.view(np.uint8)[misalignment + size :]
        assert (behind == UNTOUCHED).all(), "nn_run wrote behind its scratch"
        return HostRun(int(status), result.class_index, result.score, tuple(outputs))


def kernel_sources(backend: str) -> list[Path]:
    """The sources that a back end is made of, as the firmware's Makefile names them."""
    own = [path for path in (KERNELS / backend).glob("*.[cS]") if "nn_plain" not in path.name]
    return sorted([*KERNELS.glob("*.c"), *KERNELS.glob("plain/nn_plain*.c"), *own])


def build(folder: Path, generated: Path = GENERATED, *options: str) -> HostNn:
    """Compile the plain kernels and a generated model with the host's compiler."""
    library = folder / "nn.so"
    sources = [*kernel_sources("plain"), generated / "model.c"]
    subprocess.run(
        [
            *("gcc", *WARNINGS, *options, "-O2", "-shared", "-fPIC"),
            *("-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan"),
            *("-I", str(KERNELS), "-I", str(generated)),
            *(str(source) for source in sources),
            *("-o", str(library)),
        ],
        check=True,
    )
    return HostNn(library)

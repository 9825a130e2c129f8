"""Every reader, by the command with which a user reaches it, on damaged files."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from boardless import cli
from tests.hostile.damage import damaged
from tests.hostile.ending import ending

REPO = Path(__file__).parents[2]
ELF = REPO / "build" / "firmware" / "boardless.elf"
ARTIFACTS = REPO / "models" / "artifacts"
SHORT = ("--limit", "1", "--limit-us", "3000", "--host-seconds", "5")
_CONFIG = str(REPO / "boardless.toml")
_OUT = ("--json", "OUT")
# A case whose command takes ten or a hundred milliseconds is tried less often than the others.
SLOW, DEAR = 6, 60


@dataclass(frozen=True)
class Case:
    """A command whose FILE is damaged; OUT must not be there where the run could not be made.

    `every`: how many rounds go by from one try to the next.
    """

    words: tuple[str, ...]
    file: Path
    every: int = 1

    def trial(self, draw: random.Random, folder: Path) -> tuple[bytes, str]:
        """One try: what was given, and what is wrong with how it ended."""
        content = damaged(self.file.read_bytes(), draw)
        return content, complaint(self, content, folder)


def complaint(case: Case, content: bytes, folder: Path) -> str:
    """Run the command on the damaged content; what is wrong with how it ended, or nothing."""
    file, out = folder / f"given{case.file.suffix}", folder / "out"
    file.write_bytes(content)
    if case.file.suffix == ".npz":  # or its checksum would be all that is ever looked at
        file.with_suffix(".sha256").write_text(hashlib.sha256(content).hexdigest())
    named = {"FILE": str(file), "OUT": str(out), "FOLDER": str(folder)}
    named |= {f"OUT{suffix}": f"{out}{suffix}" for suffix in (".tflite", ".npz", ".c")}
    return ending([named.get(word, word) for word in case.words], folder).complaint


def cases(folder: Path) -> list[Case]:
    """Every one of them."""
    sound = _sound_files(folder)
    return [*_frame_cases(sound), *_elf_cases(sound), *_budget_cases(sound), *_other_cases(sound)]


def _frame_cases(sound: dict[str, Path]) -> list[Case]:
    run = ("run", str(ELF), *SHORT, *_OUT, "--frames")
    kinds = ("png", "jpg", "bmp", "tif", "webp", "pgm", "npy", "frames-npz", "idx", "gz")
    found = [Case((*run, "FILE"), sound[kind], SLOW) for kind in kinds]
    found += [
        Case((*run, str(sound["idx"]), "--labels", "FILE"), sound["labels"]),
        Case((*run, str(sound["idx"]), "--labels", "FILE"), sound["idx-labels"]),
        Case((*run, "pattern:bars", "--config", "FILE"), sound["toml"], SLOW),
        Case((*run, "pattern:bars", "--model", "FILE"), sound["npz"], SLOW),
        Case((*run, "pattern:bars", "--peripheral", "FILE:Rng@0x50060800"), sound["py"], SLOW),
    ]
    return found


def _elf_cases(sound: dict[str, Path]) -> list[Case]:
    bars = ("--frames", "pattern:bars")
    return [
        Case(("run", "FILE", *SHORT, *_OUT, *bars), ELF, SLOW),
        Case(("profile", "FILE", *SHORT, *_OUT, *bars), ELF),
        Case(("coverage", "FILE", "--for-us", "500", "--lcov", "OUT"), ELF),
        Case(("trace", "FILE", "--for-us", "500", "--json-lines", "OUT"), ELF),
        Case(("budget", "FILE", "--config", _CONFIG, *_OUT), ELF, SLOW),
        Case(("compare", "FILE", *SHORT, *_OUT, *bars, "--engines", "native,native"), ELF, SLOW),
        Case(("doctor", "--board", "FILE"), ELF, DEAR),
        Case(("model", "verify", str(sound["npz"]), "--peer", "firmware", "--frames", "0",
              "--random", "1", "--elf", "FILE"), ELF, DEAR),
    ]  # fmt: skip


def _budget_cases(sound: dict[str, Path]) -> list[Case]:
    budget = ("budget", str(ELF), *_OUT, "--config")
    return [
        Case((*budget, "FILE"), sound["toml"], DEAR),
        Case((*budget, _CONFIG, "--map", "FILE"), ELF.with_suffix(".map"), DEAR),
        Case((*budget, _CONFIG, "--base", "FILE"), sound["lock"], DEAR),
        Case((*budget, _CONFIG, "--base", "FILE"), sound["verdict"], DEAR),
    ]


def _other_cases(sound: dict[str, Path]) -> list[Case]:
    """The model line, and the gateway."""
    dataset = ("--dataset", "FILE")
    gateway = ("gateway", str(sound["frames"]), "--mapping", str(sound["mapping"]), "--board")
    command = str(ELF.with_name("command.elf"))
    return [
        Case(("model", "import", "FILE", "OUT.npz"), sound["tflite"]),
        Case(("model", "export", "FILE", "OUT.tflite"), sound["npz"]),
        Case(("model", "verify", "FILE", "--peer", "firmware"), sound["tflite"], 3),
        Case(("model", "quantize", "FILE", "OUT.npz", "--dataset", str(sound["arrays"])),
             sound["float"]),
        Case(("model", "verify", str(sound["npz"]), *dataset), sound["csv"], DEAR),
        Case(("model", "verify", str(sound["npz"]), *dataset), sound["arrays"], DEAR),
        Case(("model", "table", "FOLDER", *_OUT), sound["npz"], 3),
        Case(("fit", "FILE", "--any", *_OUT), sound["tflite"]),
        Case(("fit", "FILE", "--any", *_OUT), sound["npz"]),
        Case(("fit", "FILE", "--any", *_OUT), sound["onnx"]),
        Case(("device", "animation", "FILE", "--out", "OUT.c"), sound["gif"]),
        Case((*gateway, command, "--key", "FILE", *_OUT), sound["key"], DEAR),
        Case(("gateway", str(sound["frames"]), "--mapping", "FILE", "--key", str(sound["key"]),
              "--board", command, *_OUT), sound["mapping"], DEAR),
        Case(("bench", "cycles", "--elfs", str(ELF.parent), "--baseline", "FILE", *_OUT),
             REPO / "docs" / "data" / "embench-iot-2.0.json"),
    ]  # fmt: skip


_MAPPING = '[[on]]\nevent = "jump"\ncommand = "anim"\nid = 1\ndur = 1000\nleast-score = 25\n'
_PERIPHERAL = """from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.register import Register

class Rng(Peripheral):
    DR = Register(8)

    def on_read_DR(self) -> int:
        return 4
"""
# A tensor of four numbers that a Relu reads: what onnx.proto asks for, by hand.
_ONNX = bytes.fromhex(
    "08083a3d0a0e0a0178120179220452656c75120167"
    "5a130a0178120e0a0c080112080a0208010a020804"
    "62130a0179120e0a0c080112080a0208010a020804"
)


def _sound_files(folder: Path) -> dict[str, Path]:
    kinds = (
        "png",
        "jpg",
        "bmp",
        "tif",
        "webp",
        "pgm",
        "npy",
        "tflite",
        "npz",
        "idx",
        "gz",
        "labels",
        "toml",
        "py",
        "onnx",
    )
    named = {kind: folder / f"sound.{kind}" for kind in (*kinds, "lock", "csv", "key")}
    named |= {"idx-labels": folder / "labels.idx", "verdict": folder / "verdict.json"}
    named |= {"float": folder / "float.npz", "arrays": folder / "arrays.npz"}
    named |= {"gif": folder / "5_jump.gif", "mapping": folder / "mapping.toml"}
    named |= {"frames": folder / "frames", "frames-npz": folder / "frames.npz"}
    _write_frames(named)
    named["py"].write_text(_PERIPHERAL)
    named["onnx"].write_bytes(_ONNX)
    named["mapping"].write_text(_MAPPING)
    shutil.copy(REPO / "boardless.toml", named["toml"])
    shutil.copy(REPO / "budget.lock", named["lock"])
    artifact = ARTIFACTS / "fashion_mnist_8k.npz"
    shutil.copy(artifact, named["npz"])
    shutil.copy(artifact.with_suffix(".sha256"), named["npz"].with_suffix(".sha256"))
    shutil.copy(ARTIFACTS / "fashion_mnist_8k.float.npz", named["float"])
    _must("model", "export", str(artifact), str(named["tflite"]))
    _must("device", "key", str(named["key"]))
    _must("budget", str(ELF), "--config", _CONFIG, "--json", str(named["verdict"]))
    json.loads(named["verdict"].read_text())
    return named


def _write_frames(named: dict[str, Path]) -> None:
    pixels = np.arange(28 * 28, dtype=np.uint32).reshape(28, 28).astype(np.uint8)
    picture = Image.fromarray(pixels)
    for kind in ("png", "jpg", "bmp", "tif", "webp", "pgm"):
        picture.save(named[kind])
    np.save(named["npy"], pixels)
    np.savez(named["frames-npz"], images=pixels[np.newaxis], labels=[1])
    named["frames"].mkdir()
    picture.resize((64, 48)).save(named["frames"] / "1.png")
    idx = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + pixels.tobytes() * 2
    named["idx"].write_bytes(idx)
    named["gz"].write_bytes(gzip.compress(idx))
    named["labels"].write_text("1\n2\n")
    named["idx-labels"].write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2]))
    small = picture.resize((16, 16)).convert("1")
    small.save(named["gif"], save_all=True, append_images=[small.rotate(90)], duration=100)
    named["csv"].write_text("sound.png,bag\nsound.pgm,coat\n" * 20)
    np.savez(named["arrays"], x=np.stack([pixels] * 20), y=np.arange(20) % 10)


def _must(*words: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.main(words) == 0, words

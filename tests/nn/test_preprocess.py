"""From the camera's frame to the network's input, on the host: every byte that a block can make."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from boardless_models.data.network import Shape
from boardless_models.data.preprocess import preprocess as preprocessed
from tests.nn.host import REPOSITORY, WARNINGS

SIDE, BLOCK = 112, 4


@pytest.fixture(scope="module")
def preprocess(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return built(tmp_path_factory.mktemp("preprocess"), REPOSITORY / "firmware")


def built(folder: Path, model_root: Path) -> ctypes.CDLL:
    """preprocess.c for the model whose generated/ stands there."""
    library = folder / "preprocess.so"
    firmware = REPOSITORY / "firmware"
    subprocess.run(
        [
            *("gcc", *WARNINGS, "-O2", "-shared", "-fPIC", "-I", str(model_root)),
            *("-I", str(firmware)),
            *("-I", str(firmware / "nn"), "-I", str(firmware / "drivers")),
            *(str(firmware / "apps" / "classifier" / "preprocess.c"), "-o", str(library)),
        ],
        check=True,
    )
    return ctypes.CDLL(str(library))


def run(library: ctypes.CDLL, luma: NDArray[np.uint8], chroma: int) -> NDArray[np.uint8]:
    """What becomes of a frame in Y U Y V, every U and V the same."""
    pixels = np.full((SIDE, SIDE, 2), chroma, np.uint8)
    pixels[..., 0] = luma
    output = np.zeros((SIDE // BLOCK, SIDE // BLOCK), np.uint8)
    library.preprocess_run(
        pixels.ctypes.data_as(ctypes.c_void_p), output.ctypes.data_as(ctypes.c_void_p)
    )
    return output


def blocks_of(sums: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.uint8]:
    """A frame whose blocks of 4×4 have these sums, spread over their pixels by chance."""
    count = BLOCK * BLOCK
    each = np.repeat(sums[:, None] // count, count, axis=1)
    for block, left in zip(each, sums % count, strict=True):
        block[random.permutation(count)[:left]] += 1
    side = SIDE // BLOCK
    tiles = each.reshape(side, side, BLOCK, BLOCK).transpose(0, 2, 1, 3)
    return tiles.reshape(SIDE, SIDE).astype(np.uint8)


@pytest.mark.parametrize("chroma", [0, 128, 255])
def test_a_block_becomes_its_mean_rounded_half_up(preprocess: ctypes.CDLL, chroma: int) -> None:
    """preprocess.h: (sum of 16 + 8) >> 4. Every sum there is, from 0 to 4,080."""
    random = np.random.default_rng(1)
    side = SIDE // BLOCK
    every = np.arange(16 * 255 + 1)
    for start in range(0, len(every), side * side):
        sums = np.resize(every[start : start + side * side], side * side)
        expected = ((sums + 8) >> 4).reshape(side, side)
        found = run(preprocess, blocks_of(sums, random), chroma)
        assert np.array_equal(found, expected)


def test_pixels_of_a_block_count_alike(preprocess: ctypes.CDLL) -> None:
    luma = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE), np.uint8)
    side = SIDE // BLOCK
    sums = luma.reshape(side, BLOCK, side, BLOCK).astype(np.int64).sum(axis=(1, 3))
    assert np.array_equal(run(preprocess, luma, 128), (sums + 8) >> 4)


SHAPES = [(28, 28, 1), (32, 32, 3), (48, 48, 1), (96, 96, 3), (96, 96, 1), (16, 24, 3), (1, 1, 1)]


@pytest.mark.parametrize("extents", SHAPES)
def test_any_input_is_made_as_numpy_makes_it(tmp_path: Path, extents: tuple[int, int, int]) -> None:
    shape = Shape(*extents)
    generated = tmp_path / "generated"
    generated.mkdir()
    names = zip(("HEIGHT", "WIDTH", "CHANNELS"), extents, strict=True)
    lines = [f"#define MODEL_INPUT_{name} {extent}u\n" for name, extent in names]
    (generated / "model.h").write_text("".join([*lines, "#define MODEL_INPUT_IS_PICTURE 1u\n"]))
    library = built(tmp_path, tmp_path)
    random = np.random.default_rng(4)
    for kind in range(3):
        frame = random.integers(0, 256, (SIDE, SIDE, 2), np.uint8)
        if kind:
            frame = random.choice(np.array([0, 255], np.uint8), frame.shape)
        output = np.zeros(extents, np.uint8)
        library.preprocess_run(
            frame.ctypes.data_as(ctypes.c_void_p), output.ctypes.data_as(ctypes.c_void_p)
        )
        assert np.array_equal(output, preprocessed(frame, shape))


def test_an_input_larger_than_the_frame_does_not_compile(tmp_path: Path) -> None:
    (tmp_path / "generated").mkdir()
    header = "".join(f"#define MODEL_INPUT_{name} 113u\n" for name in ("HEIGHT", "WIDTH"))
    (tmp_path / "generated" / "model.h").write_text(
        header + "#define MODEL_INPUT_CHANNELS 1u\n#define MODEL_INPUT_IS_PICTURE 1u\n"
    )
    with pytest.raises(subprocess.CalledProcessError):
        built(tmp_path, tmp_path)

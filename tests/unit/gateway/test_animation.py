from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from boardless import cli
from boardless.gateway.animation import encode, load_animation, pages_of, picture_of
from boardless.gateway.intel_hex import intel_hex
from boardless.gateway.packets import load_key
from boardless_sim.errors import FrameError
from tests.unit.gateway.host_program import FIRMWARE, REPOSITORY, build, run

HERE = Path(__file__).parent
PICTURES = sorted((FIRMWARE / "apps" / "command" / "animations").glob("*.gif"))


@pytest.fixture(name="program", scope="module")
def program_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("animation")
    return build(HERE / "decode_animations.c", ["apps/command/animation.c"], folder)


def given(side: int, frame: int, data: bytes) -> bytes:
    return bytes([side, frame]) + len(data).to_bytes(2, "little") + data


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_the_firmware_decodes_what_was_coded(program: Path, path: Path) -> None:
    each = load_animation(path)
    asked = b"".join(given(each.side, n, each.coded) for n in range(len(each.frames)))
    assert run(program, asked) == [f"0 {frame.hex()}" for frame in each.frames]


def test_random_pictures_too(program: Path) -> None:
    chance = random.Random(7)
    pages = [
        bytes(chance.choice([0, 0, 255, chance.randrange(256)]) for _ in range(128))
        for _ in range(500)
    ]
    asked = b"".join(given(32, 0, encode(each)) for each in pages)
    assert run(program, asked) == [f"0 {each.hex()}" for each in pages]


def test_data_that_are_none_are_refused_within_their_bytes(program: Path) -> None:
    chance = random.Random(8)
    data = [chance.randbytes(chance.randrange(80)) for _ in range(5000)]
    lines = run(program, b"".join(given(16, chance.randrange(3), each) for each in data))
    assert {line.split()[0] for line in lines} == {"0", "-1"}


def test_a_picture_goes_and_comes_back() -> None:
    picture = Image.effect_noise((32, 32), 90).point(lambda value: 255 * (value >= 128))
    assert picture_of(pages_of(picture), 32).tobytes() == picture.tobytes()


def test_the_committed_source_is_made_of_the_committed_pictures(tmp_path: Path) -> None:
    out = tmp_path / "animations.c"
    assert cli.main(["device", "animation", *map(str, PICTURES), "--out", str(out)]) == 0
    committed = FIRMWARE / "generated" / "command" / "animations.c"
    assert out.read_text() == committed.read_text()


def test_the_pictures_are_drawn_by_the_tool(tmp_path: Path) -> None:
    script = REPOSITORY / "tools" / "draw_animations.py"
    (tmp_path / "firmware" / "apps" / "command").mkdir(parents=True)
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=False)
    assert done.returncode == 0
    drawn = tmp_path / "firmware" / "apps" / "command" / "animations"
    for path in PICTURES:
        assert load_animation(drawn / path.name) == load_animation(path)


def test_a_folder_is_an_animation(tmp_path: Path) -> None:
    folder = tmp_path / "9_walk"
    folder.mkdir()
    for number in range(3):
        Image.new("L", (16, 16), 255 * (number % 2)).save(folder / f"{number}.png")
    each = load_animation(folder, frame_ms=40)
    assert (each.number, each.name, each.side, each.frame_ms) == (9, "walk", 16, 40)
    assert [frame[0] for frame in each.frames] == [0, 255, 0]


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("walk.png", (16, 16), "expected a name"),
        ("256_walk.png", (16, 16), "expected a name"),
        ("1_walk.png", (16, 32), "16x32, expected all"),
        ("1_walk.png", (64, 64), "64x64, expected all"),
    ],
)
def test_what_is_no_animation_is_refused(
    tmp_path: Path, name: str, size: tuple[int, int], why: str
) -> None:
    Image.new("L", size).save(tmp_path / name)
    with pytest.raises(FrameError, match=why):
        load_animation(tmp_path / name)


def test_bytes_that_are_no_picture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1_walk.gif").write_bytes(b"GIF89a")
    with pytest.raises(FrameError, match="expected PNG or GIF"):
        load_animation(tmp_path / "1_walk.gif")


def test_a_key_is_made_for_the_gateway_and_for_the_programmer(tmp_path: Path) -> None:
    key, programmer = tmp_path / "key", tmp_path / "key.hex"
    assert cli.main(["device", "key", str(key), "--hex", str(programmer)]) == 0
    made = load_key(key)
    assert programmer.read_text() == intel_hex(0x1FFF_7800, made)
    assert cli.main(["device", "key", str(key)]) == 2  # a key is never overwritten
    assert load_key(key) == made


def test_intel_hex() -> None:
    """The record of the format's own description: 16 bytes at 0x0100."""
    data = bytes.fromhex("214601360121470136007EFE09D21901")
    assert intel_hex(0x0800_0100, data).splitlines() == [
        ":020000040800F2",
        ":10010000214601360121470136007EFE09D2190140",
        ":00000001FF",
    ]

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boardless.running.evidence import as_html, clear, gather, save
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Capability, StopReason, UartLine
from boardless_sim.errors import BoardlessError
from boardless_sim.finding import Finding, Grade
from tests.unit.running.fake_engine import FakeEngine

FRAME = Frame("t10k<7>", np.arange(6, dtype=np.uint8).reshape(2, 3), 7)


def test_the_log_shows_the_frame_s_own_pixels_upscaled() -> None:
    page = as_html(gather(FakeEngine(), FRAME))
    match = re.search(r'data:image/png;base64,([^"]+)" width="18" height="12"', page)
    assert match is not None
    picture = Image.open(io.BytesIO(base64.b64decode(match[1])))
    assert np.array_equal(np.asarray(picture), FRAME.luma)
    assert "image-rendering: pixelated" in page
    assert "frame t10k&lt;7&gt;" in page


def test_the_log_shows_uart_fault_time_and_board_log() -> None:
    page = as_html(gather(FakeEngine(reason=StopReason.FAULT), None))
    assert "<img" not in page
    assert "virtual time 0.000 ms (fake cycles, ±15 %)" in page
    assert "HardFault at pc 0x08001234 in nn_run" in page
    assert "        10.0 us  USART2  m- boardless ready" in page
    assert "RCC_CSR read: not modelled" in page


def test_what_the_firmware_says_is_no_markup() -> None:
    engine = FakeEngine()
    engine.lines = [UartLine("USART2", "<script>alert(1)</script>", 1.0)]
    page = as_html(gather(engine, None))
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_a_long_transcript_keeps_its_end() -> None:
    engine = FakeEngine()
    engine.lines = engine.lines * 205
    assert "(the first 5 lines are left out)" in as_html(gather(engine, None))


def test_the_files_are_named_and_whole(tmp_path: Path) -> None:
    save(gather(FakeEngine(), FRAME), tmp_path / "a" / "test")
    folder = tmp_path / "a" / "test"
    assert {entry.name for entry in folder.iterdir()} == {"frame.png", "uart.txt", "board.txt"}
    assert (folder / "uart.txt").read_text() == "        10.0 us  USART2  m- boardless ready\n"
    assert (folder / "board.txt").read_text() == (
        "virtual time 0.000 ms (fake cycles, ±15 %)\nno fault\nRCC_CSR read: not modelled\n"
    )


def test_old_files_are_removed_and_foreign_ones_kept(tmp_path: Path) -> None:
    save(gather(FakeEngine(), FRAME), tmp_path / "test")
    clear(tmp_path / "test")
    assert not (tmp_path / "test").exists()
    clear(tmp_path / "test")
    save(gather(FakeEngine(), FRAME), tmp_path / "test")
    (tmp_path / "test" / "note").write_text("mine")
    clear(tmp_path / "test")
    assert [entry.name for entry in (tmp_path / "test").iterdir()] == ["note"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(BoardlessError, match=r"/a: File exists, expected a writable folder$"):
        save(gather(FakeEngine(), None), tmp_path / "a")


def test_what_the_firmware_says_moves_no_cursor() -> None:
    engine = FakeEngine()
    engine.lines = [UartLine("USART2", "\x1b[2J\x07boot", 1.0)]
    assert "\\x1b[2J\\x07boot" in as_html(gather(engine, None))


class Overflowing(FakeEngine):
    """A board whose core can be looked at, in a handler, after a DMA that ran too far."""

    capabilities = FakeEngine.capabilities | {Capability.BOARD_CHECKS}

    def findings(self) -> list[Finding]:
        return [
            Finding("dma-past-symbol", Grade.ERROR, "DMA", 0x0800_0010, 7_000.0, "ran too far"),
            Finding("unmodelled", Grade.WARNING, "RNG", 0x0800_0010, 8_000.0, "RNG_CR"),
        ]


def test_what_the_chip_would_not_have_carried_is_in_the_log() -> None:
    log = gather(Overflowing(), None).log
    assert log == (
        "RCC_CSR read: not modelled",
        "dma-past-symbol: ran too far (? at 0x08000010, 7.000 ms)",
    )

"""The board behind the live viewfinder: steps, the way back, what a network saw, faults by name."""

from __future__ import annotations

import json
import queue
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from boardless.debug.viewfinder.board import WatchedBoard
from boardless.debug.viewfinder.message import Playing, message
from boardless.debug.viewfinder.picture import frame_of
from boardless.debug.viewfinder.player import Player
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError, FrameError

BUILD = Path(__file__).parents[2] / "build/firmware"
LIMIT_S = 60
_NOISE = np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8)
FRAMES = [Frame(f"noise {number}", luma) for number, luma in enumerate(_NOISE)]


@pytest.fixture(name="board")
def fixture_board() -> Iterator[WatchedBoard]:
    with closing(NativeEngine()) as engine:
        engine.load(load_image(BUILD / "boardless.elf"))
        yield WatchedBoard(engine, FRAMES)


def _header(state: bytes) -> dict[str, object]:
    size = struct.unpack_from("<I", state)[0]
    found = json.loads(state[4 : 4 + size])
    assert isinstance(found, dict)
    assert sum(image["n"] for image in found["images"]) == len(state) - 4 - size
    return found


def test_a_way_back_and_forward_ends_at_the_same_state(board: WatchedBoard) -> None:
    for _ in range(3):
        assert board.step()
    pace = Playing(running=False, speed=1)
    there = message(board, pace, None)
    assert board.step()
    assert message(board, pace, None) != there
    assert board.back()
    assert message(board, pace, None) == there
    assert board.back()
    assert board.step()
    assert message(board, pace, None) == there
    while board.back():
        pass
    assert board.results == []


def test_the_network_saw_the_frame_and_its_output_says_the_class(board: WatchedBoard) -> None:
    assert board.step()
    shown = board.seen
    assert [shown[number].shape for number in (-1, 0, 4)] == [(28, 28, 1), (14, 14, 16), (1, 1, 10)]
    saw = np.frombuffer(shown[-1].values, np.int8).astype(int) + 128
    assert saw.reshape(28, 28).tolist() == FRAMES[0].luma.tolist()
    output = np.frombuffer(shown[4].values, np.int8)
    assert int(output.argmax()) == board.results[-1].class_index


def test_a_fault_is_in_the_state_and_goes_back_with_it(board: WatchedBoard) -> None:
    assert board.step()
    board.set_fault("dead sensor", True)
    assert board.faults()["dead sensor"]
    board.engine.run(2_000_000)
    assert any(line.text.startswith("e- ") for line in board.engine.uart_lines())
    board.set_fault("dead sensor", False)
    assert board.step()
    assert board.back()
    assert not any(line.text.startswith("e- ") for line in board.engine.uart_lines())
    with pytest.raises(EngineError, match="fault 'rain', expected one of: dead sensor"):
        board.set_fault("rain", True)


def test_a_picture_is_seen_next_and_the_source_waits(board: WatchedBoard) -> None:
    assert board.step()
    board.show(Frame("drawn", np.full((28, 28), 77, np.uint8)))
    names = []
    for _ in range(4):
        assert board.step()
        names.append(_header(message(board, Playing(False, 1), None))["result"])
    assert [found["name"] for found in names if isinstance(found, dict)][-2:] == ["drawn"] * 2
    board.go_on_with_source()
    for _ in range(4):
        assert board.step()
    found = _header(message(board, Playing(False, 1), None))["result"]
    assert isinstance(found, dict)
    assert "noise" in found["name"]


def test_a_fault_of_the_core_stops_it_and_is_told() -> None:
    with closing(NativeEngine()) as engine:
        engine.load(load_image(BUILD / "faulty_hardfault.elf"))
        board = WatchedBoard(engine, open_frames("pattern:noise:1"))
        for _ in range(20):
            board.step()
        assert board.stands[0] == "stopped    fault"
        assert any(line.startswith("fault      HardFault") for line in board.stands)


def test_the_player_does_what_it_is_asked_for(board: WatchedBoard) -> None:
    states: queue.Queue[bytes] = queue.Queue()
    player = Player(board, on_state=states.put, running=False)
    player.start()
    try:
        assert _header(states.get(timeout=LIMIT_S))["running"] is False
        assert player.ask({"do": "step"}) == ""
        assert _header(states.get(timeout=LIMIT_S))["results"] == 1
        assert player.ask({"do": "send", "port": "USART9", "text": "x"}) == ""
        assert "USART9" in str(_header(states.get(timeout=LIMIT_S))["note"])
        assert player.ask({"do": "speed", "to": 4}) == ""
        assert _header(states.get(timeout=LIMIT_S))["speed"] == 4
        assert player.ask({"do": "run"}) == ""
        results = [_header(states.get(timeout=LIMIT_S))["results"] for _ in range(6)]
        assert results[-1] != 1
    finally:
        player.close()


def test_a_picture_of_any_size_becomes_the_camera_s_square() -> None:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (300, 200), (255, 0, 0)).save(stream, "JPEG")
    frame = frame_of(stream.getvalue(), "red.jpg")
    assert frame.luma.shape == (112, 112)
    assert frame.colour is not None
    assert frame.colour[56, 56, 0] > 250
    with pytest.raises(FrameError, match="red.jpg: no picture"):
        frame_of(stream.getvalue()[:200], "red.jpg")

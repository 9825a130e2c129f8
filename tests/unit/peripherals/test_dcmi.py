from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.foreseen import DmaRoom
from boardless_sim.peripherals import dcmi
from boardless_sim.peripherals.dcmi import Dcmi
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="DCMI", source="RM0090 chapter 15")

IRQ = 78
RUN = dcmi.CR_ENABLE | dcmi.CR_VSPOL | dcmi.CR_PCKPOL  # as an OV7670 wants it
SNAPSHOT = RUN | dcmi.CR_CM | dcmi.CR_CAPTURE
CONTINUOUS = RUN | dcmi.CR_CAPTURE
WIDTH = 16
BLANKING = b"\xbb" * 8


class Wires:
    """A DCMI with a DMA that takes everything, or as many words as `room` says."""

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.dcmi = Dcmi("DCMI", IRQ)
        self.bus.place(0x5005_0000, self.dcmi)
        self.bus.serve = self.take
        self.room = 1 << 30
        self.data = b""
        self.frames: list[bool] = []
        self.dcmi.on_frame = self.frames.append
        self.dcmi.vsync(True)

    def take(self, request: str, units: int) -> int:
        assert request == "DCMI"
        taken = min(units, self.room)
        self.room -= taken
        self.data += self.dcmi.read_block(dcmi.DR, 4, taken)
        return taken

    def write(self, offset: int, value: int) -> None:
        self.dcmi.write(offset, 4, value)

    def read(self, offset: int) -> int:
        return self.dcmi.read(offset, 4)

    def flags(self) -> int:
        return self.read(dcmi.RIS)

    def send(self, *lines: bytes) -> None:
        """One frame, with VSYNC high before and after it."""
        self.dcmi.vsync(False)
        for line in lines:
            self.dcmi.line(line, BLANKING)
        self.dcmi.vsync(True)


@pytest.fixture
def wires() -> Wires:
    return Wires()


def line(number: int, width: int = WIDTH) -> bytes:
    return bytes((number * 16 + n) & 0xFF for n in range(width))


FRAME = tuple(line(number) for number in range(6))


def test_snapshot_takes_one_frame(wires: Wires) -> None:
    wires.write(dcmi.IER, dcmi.FRAME)
    wires.write(dcmi.CR, SNAPSHOT)
    wires.send(*FRAME)
    assert wires.data == b"".join(FRAME)
    assert not wires.read(dcmi.CR) & dcmi.CR_CAPTURE
    assert wires.bus.irqs[IRQ]
    wires.send(*FRAME)
    assert wires.data == b"".join(FRAME)
    assert wires.frames == [True]
    wires.write(dcmi.ICR, dcmi.FRAME)
    assert not wires.bus.irqs[IRQ]


def test_capture_waits_for_the_start_of_a_frame(wires: Wires) -> None:
    wires.write(dcmi.CR, RUN | dcmi.CR_CM)
    wires.dcmi.vsync(False)
    wires.dcmi.line(FRAME[0], BLANKING)
    wires.write(dcmi.CR, SNAPSHOT)
    wires.dcmi.line(FRAME[1], BLANKING)
    wires.dcmi.vsync(True)
    assert wires.data == b""
    wires.send(*FRAME)
    assert wires.data == b"".join(FRAME)


def test_disabled_interface_sees_nothing(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT & ~dcmi.CR_ENABLE)
    wires.send(*FRAME)
    assert wires.data == b""
    assert wires.flags() == 0
    assert not wires.dcmi.listening


def test_continuous_goes_on_until_stopped_at_a_frame_end(wires: Wires) -> None:
    wires.write(dcmi.CR, CONTINUOUS)
    wires.send(*FRAME)
    wires.dcmi.vsync(False)
    wires.write(dcmi.CR, RUN)
    assert wires.read(dcmi.CR) & dcmi.CR_CAPTURE
    wires.dcmi.line(FRAME[0], BLANKING)
    wires.dcmi.vsync(True)
    assert not wires.read(dcmi.CR) & dcmi.CR_CAPTURE
    wires.send(*FRAME)
    assert wires.data == b"".join(FRAME) + FRAME[0]


@pytest.mark.parametrize(("fcrc", "captured"), [(0, 8), (1, 4), (2, 2)])
def test_frame_rate_control(wires: Wires, fcrc: int, captured: int) -> None:
    wires.write(dcmi.CR, CONTINUOUS | fcrc << 8)
    for _ in range(8):
        wires.send(*FRAME)
    assert len(wires.frames) == captured
    assert len(wires.data) == captured * len(FRAME) * WIDTH


def test_line_and_vsync_flags_on_the_edge_to_active(wires: Wires) -> None:
    wires.write(dcmi.CR, RUN)
    wires.dcmi.vsync(False)
    assert wires.flags() == 0
    wires.dcmi.line(FRAME[0], BLANKING)
    assert wires.flags() == dcmi.LINE  # a line that nobody captures counts too
    wires.dcmi.vsync(True)
    assert wires.flags() == dcmi.LINE | dcmi.VSYNC


def test_mis_shows_what_is_enabled(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT)
    wires.write(dcmi.IER, dcmi.LINE)
    wires.send(*FRAME)
    assert wires.read(dcmi.MIS) == dcmi.LINE
    assert wires.flags() == dcmi.LINE | dcmi.VSYNC | dcmi.FRAME


@given(
    first=st.integers(0, 20),
    clocks=st.integers(1, 20),
    top=st.integers(0, 7),
    lines=st.integers(1, 7),
)
def test_crop_is_a_slice(first: int, clocks: int, top: int, lines: int) -> None:
    wires = Wires()
    wires.write(dcmi.CWSTRT, top << 16 | first)
    wires.write(dcmi.CWSIZE, (lines - 1) << 16 | (clocks - 1))
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_CROP)
    wires.send(*FRAME)
    window = b"".join(row[first : first + clocks] for row in FRAME[top : top + lines])
    assert wires.data == window + bytes(-len(window) % 4)
    assert wires.flags() & dcmi.FRAME  # even when the window is empty
    assert wires.frames == [bool(window)]


def test_frame_comes_with_the_last_line_of_the_window(wires: Wires) -> None:
    wires.write(dcmi.CWSTRT, 1 << 16)
    wires.write(dcmi.CWSIZE, 1 << 16 | 7)
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_CROP)
    wires.dcmi.vsync(False)
    for number in range(3):
        assert not wires.flags() & dcmi.FRAME
        wires.dcmi.line(FRAME[number], BLANKING)
    assert wires.flags() & dcmi.FRAME
    assert not wires.read(dcmi.CR) & dcmi.CR_CAPTURE


def test_wrong_hsync_polarity_captures_the_blanking(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_HSPOL)
    wires.send(*FRAME)
    assert wires.data == BLANKING * len(FRAME)


def test_hsync_polarity_follows_the_sensor(wires: Wires) -> None:
    wires.dcmi.configure(ParallelPins(href_valid_high=False))
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_HSPOL)
    wires.send(*FRAME)
    assert wires.data == b"".join(FRAME)


def test_wrong_clock_edge_samples_the_byte_before(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT & ~dcmi.CR_PCKPOL)
    wires.send(FRAME[1])
    assert wires.data == b"\0" + FRAME[1][:-1]


def test_wrong_vsync_polarity_captures_an_empty_frame(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT & ~dcmi.CR_VSPOL)
    wires.send(*FRAME)
    wires.send(*FRAME)
    assert wires.data == b""
    assert wires.flags() & dcmi.FRAME
    assert wires.frames == [False]


def test_overrun_loses_a_snapshot(wires: Wires) -> None:
    wires.room = 6
    wires.write(dcmi.IER, dcmi.OVR)
    wires.write(dcmi.CR, SNAPSHOT)
    wires.send(*(line(number, 32) for number in range(4)))
    assert wires.flags() & dcmi.OVR
    assert not wires.flags() & dcmi.FRAME
    assert not wires.read(dcmi.CR) & dcmi.CR_CAPTURE
    assert wires.bus.irqs[IRQ]
    assert wires.frames == [False]


def test_last_word_may_be_the_one_too_many(wires: Wires) -> None:
    wires.room = 0
    wires.write(dcmi.CR, SNAPSHOT)
    wires.send(bytes(18))  # four words wait, the padded fifth has no place
    assert wires.flags() & (dcmi.OVR | dcmi.FRAME) == dcmi.OVR
    assert wires.frames == [False]


def test_fifo_holds_four_words_without_overrun(wires: Wires) -> None:
    wires.room = 0
    wires.write(dcmi.CR, SNAPSHOT)
    wires.dcmi.vsync(False)
    wires.dcmi.line(FRAME[0], BLANKING)
    assert not wires.flags() & dcmi.OVR
    assert wires.read(dcmi.SR) & dcmi.SR_FNE
    assert wires.read(dcmi.DR) == int.from_bytes(FRAME[0][:4], "little")
    wires.dcmi.line(FRAME[1], BLANKING)
    assert wires.flags() & dcmi.OVR


def test_continuous_goes_on_after_an_overrun(wires: Wires) -> None:
    wires.room = 0
    wires.write(dcmi.CR, CONTINUOUS)
    wires.send(*FRAME)
    wires.room = 1 << 30
    wires.send(*FRAME)
    assert wires.frames == [False, True]
    assert wires.data[-len(FRAME) * WIDTH :] == b"".join(FRAME)


def test_waiting_words_go_to_a_late_dma(wires: Wires) -> None:
    wires.room = 0
    wires.write(dcmi.CR, SNAPSHOT)
    wires.dcmi.vsync(False)
    wires.dcmi.line(FRAME[0][:8], BLANKING)
    wires.room = 1 << 30
    wires.dcmi.dma_listening("DCMI")
    assert wires.data == FRAME[0][:8]


def test_ten_data_lines_fill_half_words(wires: Wires) -> None:
    wires.write(dcmi.CR, SNAPSHOT | 1 << 10)
    wires.send(b"\x11\x22")
    assert wires.data == b"\x11\0\x22\0"


def test_jpeg_ignores_the_window_and_pads_the_end(wires: Wires) -> None:
    wires.write(dcmi.CWSTRT, 1 << 16)
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_JPEG | dcmi.CR_CROP)
    wires.send(b"\xff\xd8abc", b"de", b"\xff\xd9")
    assert wires.data == b"\xff\xd8abcde\xff\xd9\0\0\0"


def test_disabling_empties_the_fifo(wires: Wires) -> None:
    wires.room = 0
    wires.write(dcmi.CR, SNAPSHOT)
    wires.dcmi.vsync(False)
    wires.dcmi.line(FRAME[0], BLANKING)
    wires.write(dcmi.CR, 0)
    assert not wires.read(dcmi.SR) & dcmi.SR_FNE


def test_status_shows_vsync(wires: Wires) -> None:
    wires.write(dcmi.CR, RUN)
    assert wires.read(dcmi.SR) & dcmi.SR_VSYNC
    wires.dcmi.vsync(False)
    assert not wires.read(dcmi.SR) & dcmi.SR_VSYNC


FS, LS, LE, FE = 0xC7, 0x80, 0x9D, 0xDA
CODES = FE << 24 | LE << 16 | LS << 8 | FS


def code(value: int) -> bytes:
    return bytes((0xFF, 0, 0, value))


@pytest.fixture
def embedded(wires: Wires) -> Wires:
    wires.write(dcmi.ESCR, CODES)
    wires.write(dcmi.ESUR, 0xFFFF_FFFF)
    wires.write(dcmi.CR, SNAPSHOT | dcmi.CR_ESS)
    return wires


def test_embedded_codes_of_mode_2(embedded: Wires) -> None:
    stream = code(FS) + b"abcd" + code(LE) + b"gap" + code(LS) + b"efgh" + code(FE)
    for cut in range(0, len(stream), 5):  # codes may be split anywhere
        embedded.dcmi.line(stream[cut : cut + 5], b"")
    assert embedded.data == b"abcdefgh"
    assert embedded.flags() == dcmi.LINE | dcmi.VSYNC | dcmi.FRAME


def test_embedded_codes_under_a_mask(embedded: Wires) -> None:
    embedded.write(dcmi.ESUR, 0xF0F0_F0F0)
    embedded.dcmi.line(code(FS | 8) + b"abcd" + code(FE | 5), b"")
    assert embedded.data == b"abcd"


def test_itu_656_starts_a_frame_with_its_first_line(embedded: Wires) -> None:
    embedded.write(dcmi.ESCR, 0xFF << 24 | LE << 16 | LS << 8 | 0xFF)
    stream = code(LS) + b"abcd" + code(LE) + code(LS) + b"efgh" + code(LE) + code(0xAB)
    embedded.dcmi.line(stream, b"")
    assert embedded.data == b"abcdefgh"
    assert embedded.flags() & dcmi.FRAME


def test_line_end_without_a_start_is_an_error(embedded: Wires) -> None:
    embedded.dcmi.line(code(LE), b"")
    assert embedded.flags() == dcmi.ERR


def test_pins_mean_nothing_to_embedded_sync(embedded: Wires) -> None:
    embedded.dcmi.vsync(False)
    embedded.dcmi.vsync(True)
    assert embedded.flags() == 0


def room_for(wires: Wires, words: int) -> DmaRoom:
    return DmaRoom(True, 0x2000_0000, 4, words, 0x2000_0000, wires.dcmi, lambda units: None)


@pytest.fixture
def captured(wires: Wires, monkeypatch: pytest.MonkeyPatch) -> Wires:
    """Within a frame, its first line captured."""
    wires.write(dcmi.CR, SNAPSHOT)
    wires.dcmi.vsync(False)
    wires.dcmi.line(line(0), BLANKING)
    monkeypatch.setattr(wires.bus, "dma_room", lambda request: room_for(wires, 100))
    return wires


def test_lines_to_come_are_foreseen_as_far_as_the_dma_has_room(
    captured: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(number) for number in range(1, 5)]
    ahead = captured.dcmi.foresee(lines)
    assert ahead is not None
    assert (ahead.skipped, ahead.copied, ahead.data) == (0, 4, b"".join(lines))
    monkeypatch.setattr(captured.bus, "dma_room", lambda request: room_for(captured, WIDTH // 2))
    ahead = captured.dcmi.foresee(lines)
    assert ahead is not None
    assert ahead.copied == 2


def test_the_window_is_foreseen_but_for_the_line_that_ends_the_frame(captured: Wires) -> None:
    captured.send()
    captured.write(dcmi.CWSTRT, 3 << 16 | 4)
    captured.write(dcmi.CWSIZE, 2 << 16 | 7)
    captured.write(dcmi.CR, SNAPSHOT | dcmi.CR_CROP)
    captured.dcmi.vsync(False)
    captured.dcmi.line(line(0), BLANKING)
    ahead = captured.dcmi.foresee([line(number) for number in range(1, 8)])
    assert ahead is not None
    assert (ahead.skipped, ahead.copied, ahead.data) == (2, 2, line(3)[4:12] + line(4)[4:12])


@pytest.mark.parametrize(
    ("control", "pins"),
    [
        (SNAPSHOT & ~dcmi.CR_ENABLE, ParallelPins()),
        (SNAPSHOT | dcmi.CR_ESS, ParallelPins()),
        (SNAPSHOT | 1 << 10, ParallelPins()),
        (SNAPSHOT | dcmi.CR_HSPOL, ParallelPins()),
        (SNAPSHOT & ~dcmi.CR_PCKPOL, ParallelPins()),
        (SNAPSHOT, ParallelPins(pclk_hz=168_000_000)),
    ],
    ids=["off", "embedded codes", "ten bits", "blanking", "other edge", "too fast"],
)
def test_what_a_line_might_do_otherwise_is_not_foreseen(
    captured: Wires, control: int, pins: ParallelPins
) -> None:
    assert captured.dcmi.foresee([line(1)]) is not None
    captured.write(dcmi.CR, control)
    captured.dcmi.configure(pins)
    assert captured.dcmi.foresee([line(1)]) is None


def test_a_flag_a_lost_line_a_pin_and_half_a_word_are_not_foreseen(captured: Wires) -> None:
    assert captured.dcmi.foresee([line(1), None]) is None
    assert captured.dcmi.foresee([line(1), line(2)[:-1]]) is None
    captured.dcmi.line(line(1)[:-2], BLANKING)
    assert captured.dcmi.foresee([line(2)]) is None
    captured.dcmi.line(line(2)[:-2], BLANKING)
    assert captured.dcmi.foresee([line(3)]) is not None
    captured.write(dcmi.ICR, dcmi.LINE)
    assert captured.dcmi.foresee([line(3)]) is None
    captured.dcmi.line(line(3), BLANKING)
    captured.dcmi.wire(frozenset({"PIXCK", "HSYNC", "VSYNC", "D0"}))
    assert captured.dcmi.foresee([line(4)]) is None

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.camera.scene import NO_FRAME
from boardless_sim.camera.sensors import ov7670 as sensor
from boardless_sim.camera.sensors import ov7670_output as out
from boardless_sim.camera.sensors.ov7670 import Ov7670
from boardless_sim.faults.sensor import (
    DeadSensor,
    DroppedLine,
    SccbNack,
    SensorFault,
    TruncatedFrame,
    WrongPid,
)
from boardless_sim.foreseen import LinesAhead
from tests.unit.fake_bus import FakeBus

FRAME_NS = 33_320_000  # 799,680 clocks at 24 MHz
LINE_US = FRAME_NS / 510 / 1000

QQVGA = {
    out.COM3: out.COM3_DCWEN,
    out.COM14: 0x18 | out.COM14_MANUAL | 2,
    out.SCALING_DCWCTR: 0x22,
    out.TSLB: 0x04,
    out.HSTART: 0x16, out.HSTOP: 0x04, out.HREF: 0xA4,
    out.VSTRT: 0x02, out.VSTOP: 0x7A, out.VREF: 0x0A,
}  # fmt: skip


class Sink:
    """Records what the sensor drives; captures a frame when told to."""

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus
        self.on_frame: Callable[[bool], None] = lambda whole: None
        self.listening = True
        self.watches_href = False
        self.filled = False
        self.href_edges: list[tuple[int, bool]] = []
        self.capturing = False
        self.capture = True
        self.pins: ParallelPins | None = None
        self.edges: list[tuple[int, bool]] = []
        self.lines: list[tuple[int, bytes]] = []
        self.blanking = b"?"

    def configure(self, pins: ParallelPins) -> None:
        self.pins = pins

    def href(self, valid: bool) -> None:
        self.href_edges.append((self.bus.time, valid))

    def vsync(self, high: bool) -> None:
        if high and self.lines and self.capture:
            self.on_frame(True)
        self.edges.append((self.bus.time, high))

    def line(self, data: bytes, blanking: bytes) -> None:
        self.lines.append((self.bus.time, data))
        self.blanking = blanking

    def foresee(self, lines: Sequence[bytes | None]) -> LinesAhead | None:
        return None


class Rig:
    def __init__(self) -> None:
        self.bus = FakeBus()
        self.sink = Sink(self.bus)
        self.camera = Ov7670()
        self.camera.connect(self.bus, self.sink)
        self.camera.clock_in(24_000_000)

    def configure(self, registers: dict[int, int]) -> None:
        for address, value in registers.items():
            self.write(address, value)

    def write(self, address: int, *values: int) -> None:
        self.camera.start(read=False)
        self.camera.write(address)
        for value in values:
            self.camera.write(value)
        self.camera.stop()

    def read(self, address: int) -> int:
        self.write(address)
        self.camera.start(read=True)
        value = self.camera.read()
        self.camera.stop()
        return value

    def frames(self, count: int) -> list[bytes]:
        """The lines of the next frames that begin, joined."""
        self.bus.run_us(FRAME_NS * count / 1000)
        lines = [data for _, data in self.sink.lines]
        self.sink.lines.clear()
        return lines

    def picture(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """One frame, [height, bytes a line]."""
        self.sink.lines.clear()
        self.bus.run_us(2 * FRAME_NS / 1000)
        height = self.camera.output.height
        data = b"".join(data for _, data in self.sink.lines[-height:])
        return np.frombuffer(data, np.uint8).reshape(height, -1)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def gradient() -> Frame:
    luma = np.tile(np.arange(160, dtype=np.uint8), (120, 1))
    luma[:, 0] = np.arange(120)
    return Frame("gradient", luma)


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_identity(rig: Rig) -> None:
    assert sensor.ADDRESS == 0x21
    assert [rig.read(address) for address in (0x0A, 0x0B, 0x1C, 0x1D)] == [0x76, 0x73, 0x7F, 0xA2]
    rig.write(0x0A, 0)
    assert rig.read(0x0A) == 0x76


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_registers_keep_values_until_reset(rig: Rig) -> None:
    rig.write(out.TSLB, 0x04)
    assert rig.read(out.TSLB) == 0x04
    rig.write(out.COM7, out.COM7_RESET)
    assert rig.read(out.TSLB) == 0x0D
    assert rig.read(out.COM7) == 0


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_address_past_the_last_register_is_harmless(rig: Rig) -> None:
    rig.write(0xF0, 1)
    assert rig.read(0xF0) == 0


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_thirty_frames_a_second_at_24_mhz(rig: Rig) -> None:
    assert rig.camera.timing().frame_ns == FRAME_NS
    rig.write(sensor.CLKRC, 1)
    assert rig.camera.timing().frame_ns == 2 * FRAME_NS
    rig.write(sensor.DBLV, 1 << 6)
    assert rig.camera.timing().frame_ns == FRAME_NS // 2
    rig.write(sensor.CLKRC, sensor.CLKRC_EXTERNAL | 1)
    assert rig.camera.timing().frame_ns == FRAME_NS // 4


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_vsync_and_line_times(rig: Rig) -> None:
    rig.configure(QQVGA)
    rig.bus.run_us(2 * FRAME_NS / 1000 - 1)
    (first_edge, high), (second_edge, low) = rig.sink.edges
    line = LINE_US * 168
    assert (high, low) == (True, False)
    assert second_edge - first_edge == pytest.approx(3 * line, abs=200)
    times = [time - first_edge for time, _ in rig.sink.lines]
    assert len(times) == 120
    assert times[0] == pytest.approx((20 + 3) * line + line * 640 / 784, abs=200)
    assert times[1] - times[0] == pytest.approx(4 * line, abs=200)
    assert times[-1] == pytest.approx((20 + 479) * line + line * 640 / 784, abs=200)


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_without_a_listener_there_are_no_lines(rig: Rig) -> None:
    rig.sink.listening = False
    rig.bus.run_us(3 * FRAME_NS / 1000 + 1)
    assert rig.sink.lines == []
    assert len(rig.sink.edges) == 5


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
@pytest.mark.parametrize(
    ("tslb", "com13", "y", "u", "v"),
    [(0x04, 0x88, 0, 1, 3), (0x04, 0x89, 0, 3, 1), (0x0C, 0x88, 1, 0, 2), (0x0C, 0x89, 1, 2, 0)],
)
def test_yuv_order(rig: Rig, tslb: int, com13: int, y: int, u: int, v: int) -> None:
    rig.configure(QQVGA | {out.TSLB: tslb | out.TSLB_FIXED_UV, out.COM13: com13})
    rig.configure({out.MANU: 0x11, out.MANV: 0x22})
    rig.camera.lens.show(gradient())
    picture = rig.picture()
    assert picture.shape == (120, 320)
    assert np.array_equal(picture[:, y::2], gradient().luma)
    assert set(picture[:, u::4].ravel()) == {0x11}
    assert set(picture[:, v::4].ravel()) == {0x22}


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_grey_has_neutral_chroma(rig: Rig) -> None:
    rig.configure(QQVGA)
    assert set(rig.picture()[:, 1::2].ravel()) == {128}


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_rgb565_of_grey(rig: Rig) -> None:
    rig.configure(QQVGA | {out.COM7: out.COM7_RGB, out.COM15: 0xD0})
    rig.camera.lens.show(Frame("flat", np.full((120, 160), 0xA5, np.uint8)))
    pixel = (0xA5 >> 3) << 11 | (0xA5 >> 2) << 5 | 0xA5 >> 3
    assert set(rig.picture()[0].tolist()) == {pixel >> 8, pixel & 0xFF}
    assert rig.picture()[0, :2].tolist() == [pixel >> 8, pixel & 0xFF]


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
@pytest.mark.parametrize(
    ("registers", "size"),
    [
        ({}, (640, 480)),
        ({out.COM7: out.COM7_QVGA}, (320, 240)),
        ({out.COM7: out.COM7_QCIF}, (176, 144)),
        ({out.COM7: out.COM7_CIF}, (352, 288)),
        (QQVGA, (160, 120)),
        (QQVGA | {out.SCALING_DCWCTR: 0x11}, (320, 240)),
        (QQVGA | {out.COM7: out.COM7_QVGA}, (160, 120)),
        (QQVGA | {out.COM3: 0}, (640, 480)),
        (QQVGA | {out.VSTOP: 0x3E}, (160, 60)),
    ],
)
def test_output_size(rig: Rig, registers: dict[int, int], size: tuple[int, int]) -> None:
    rig.configure(registers)
    output = rig.camera.output
    assert (output.width, output.height) == size
    assert rig.picture().shape == (size[1], 2 * size[0])


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_empty_window_gives_no_lines(rig: Rig) -> None:
    rig.configure(QQVGA | {out.HSTART: 0x10, out.HSTOP: 0x10, out.HREF: 0})
    rig.bus.run_us(3 * FRAME_NS / 1000)
    assert rig.sink.lines == []


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_vga_repeats_each_pixel(rig: Rig) -> None:
    rig.configure({out.TSLB: 0x04})
    rig.camera.lens.show(gradient())
    luma = rig.picture()[:, ::2]
    assert np.array_equal(luma, gradient().luma.repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_mirror_flip_and_negative(rig: Rig) -> None:
    rig.configure(QQVGA | {out.MVFP: out.MVFP_MIRROR | out.MVFP_FLIP, out.TSLB: 0x24})
    rig.camera.lens.show(gradient())
    assert np.array_equal(rig.picture()[:, ::2], 255 - gradient().luma[::-1, ::-1])


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
@pytest.mark.parametrize(
    ("com15", "darkest", "brightest"),
    [(0x00, 0x10, 0xF0), (0x40, 0x10, 0xF0), (0x80, 0x01, 0xFE), (0xC0, 0x00, 0xFF)],
)
def test_each_range_has_both_its_ends(rig: Rig, com15: int, darkest: int, brightest: int) -> None:
    """COM15[7:6]: "[10] to [F0]", "[01] to [FE]", "[00] to [FF]"."""
    rig.configure(QQVGA | {out.COM15: com15})
    for value, sent in ((0, darkest), (255, brightest)):
        rig.camera.lens.show(Frame("one shade", np.full((28, 28), value, np.uint8)))
        assert rig.picture()[60, 160] == sent


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
@pytest.mark.parametrize(
    "registers",
    [{out.COM17: out.COM17_BARS}, {out.COM7: out.COM7_BARS}, {out.SCALING_XSC: 0xBA}],
)
def test_colour_bars(rig: Rig, registers: dict[int, int]) -> None:
    rig.configure(QQVGA | registers)
    rig.camera.lens.show(gradient())
    row = rig.picture()[7]
    luma = row[::2].astype(int)
    assert luma[0] == 255
    assert luma[-1] == 0
    assert (np.diff(luma) <= 0).all()
    assert len(set(luma)) == 8
    assert row[1::4].min() < 20  # yellow
    assert row[3::4].max() > 235  # red


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_pin_options_of_com10(rig: Rig) -> None:
    rig.configure(QQVGA | {out.COM10: sensor.COM10_HREF_REVERSE | sensor.COM10_PCLK_REVERSE})
    rig.picture()
    assert rig.sink.pins == ParallelPins(
        href_valid_high=False, data_on_rising=False, pclk_hz=6_000_000
    )
    assert len(rig.sink.blanking) == 2 * 160 * 144 // 640
    rig.write(out.COM10, sensor.COM10_VSYNC_NEGATIVE | sensor.COM10_PCLK_GATED)
    rig.sink.edges.clear()
    rig.picture()
    assert rig.sink.blanking == b""
    assert rig.sink.edges[0][1] is False
    rig.write(out.COM10, sensor.COM10_HSYNC)
    rig.picture()
    assert rig.sink.pins == replace(ParallelPins(href_valid_high=False), pclk_hz=6_000_000)


def shown(rig: Rig, count: int) -> list[Frame]:
    frames = [Frame(f"f{n}", np.full((28, 28), n, np.uint8)) for n in range(count)]
    assert [rig.camera.lens.show(frame) for frame in frames] == list(range(count))
    return frames


def test_queue_moves_on_with_each_capture(rig: Rig) -> None:
    rig.configure(QQVGA)
    frames = shown(rig, 3)
    rig.bus.run_us(6 * FRAME_NS / 1000 + 1)
    assert list(rig.camera.lens.captured) == [*frames, frames[2], frames[2]]


def test_a_frame_that_was_not_captured_stays_at_the_head(rig: Rig) -> None:
    rig.configure(QQVGA)
    rig.sink.capture = False
    frames = shown(rig, 2)
    rig.bus.run_us(4 * FRAME_NS / 1000 + 1)
    assert list(rig.camera.lens.captured) == []
    rig.sink.capture = True
    rig.bus.run_us(FRAME_NS / 1000)
    assert list(rig.camera.lens.captured) == [frames[0]]


def test_every_frame_is_counted_whether_or_not_it_is_captured(rig: Rig) -> None:
    numbers: list[int] = []
    rig.camera.lens.on_capture = lambda: numbers.append(rig.camera.frames_clocked)
    rig.frames(1)  # it starts a frame after its reset
    for capture, listening in ((True, True), (False, True), (True, False), (True, True)):
        rig.sink.capture, rig.sink.listening = capture, listening
        rig.frames(1)
    assert (rig.camera.frames_clocked, numbers) == (4, [1, 4])


def test_before_any_frame_the_view_is_grey(rig: Rig) -> None:
    rig.configure(QQVGA)
    assert set(rig.picture()[:, ::2].ravel()) == {128}
    assert {frame.name for frame in rig.camera.lens.captured} == {"(no frame shown)"}
    assert rig.camera.lens.captured[0] is NO_FRAME


def test_a_repeated_capture_in_progress_counts_before_a_new_frame(rig: Rig) -> None:
    rig.configure(QQVGA)
    rig.bus.run_us(1.5 * FRAME_NS / 1000)  # the grey view is being captured
    rig.sink.capturing = True
    frame = Frame("new", np.zeros((28, 28), np.uint8))
    assert rig.camera.lens.show(frame) == 1
    rig.bus.run_us(2 * FRAME_NS / 1000)
    assert list(rig.camera.lens.captured) == [NO_FRAME, frame]


def test_the_same_frame_may_be_shown_twice(rig: Rig) -> None:
    rig.configure(QQVGA)
    (frame,) = shown(rig, 1)
    rig.camera.lens.show(frame)
    other = Frame("other", np.ones((28, 28), np.uint8))
    rig.camera.lens.show(other)
    rig.bus.run_us(4 * FRAME_NS / 1000 + 1)
    assert list(rig.camera.lens.captured) == [frame, frame, other]


def test_reset_keeps_the_queue(rig: Rig) -> None:
    frames = shown(rig, 1)
    rig.camera.reset()
    rig.configure(QQVGA)
    rig.bus.run_us(2 * FRAME_NS / 1000 + 1)
    assert list(rig.camera.lens.captured) == frames


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_sleeping_sensor_is_silent(rig: Rig) -> None:
    rig.write(sensor.COM2, sensor.COM2_SLEEP)
    rig.bus.run_us(3 * FRAME_NS / 1000)
    assert rig.sink.edges == []
    rig.write(sensor.COM2, 1)
    rig.bus.run_us(2 * FRAME_NS / 1000)
    assert rig.sink.edges != []


def lines_under(rig: Rig, faults: Sequence[SensorFault]) -> list[int]:
    """How many lines each of three frames had."""
    rig.configure(QQVGA)
    rig.camera.faults = faults
    rig.bus.run_us(FRAME_NS / 1000 - 1)
    return [len(rig.frames(1)) for _ in range(3)]


def test_dropped_line(rig: Rig) -> None:
    assert lines_under(rig, [DroppedLine(row=60, frame=1)]) == [120, 119, 120]


def test_truncated_frame(rig: Rig) -> None:
    assert lines_under(rig, [TruncatedFrame(rows=50)]) == [50, 50, 50]


def test_faults_add_up(rig: Rig) -> None:
    faults = [TruncatedFrame(rows=50, frame=1), DroppedLine(row=10)]
    assert lines_under(rig, faults) == [119, 49, 119]


def test_dead_sensor(rig: Rig) -> None:
    assert lines_under(rig, [DeadSensor()]) == [0, 0, 0]
    assert rig.sink.edges == []
    assert rig.read(0x0A) == 0x76


def test_sccb_that_stops_to_answer(rig: Rig) -> None:
    rig.camera.faults = [SccbNack(after=1, times=2)]
    assert [rig.camera.start(read=False) for _ in range(4)] == [True, False, False, True]
    rig.camera.faults = [SccbNack()]
    assert not any(rig.camera.start(read=False) for _ in range(4))


def test_wrong_sensor(rig: Rig) -> None:
    rig.camera.faults = [WrongPid(0x26)]
    assert (rig.read(0x0A), rig.read(0x0B)) == (0x26, 0x73)

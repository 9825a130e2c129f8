"""Real carriers and real video: Debian's mosquitto, a pseudo-terminal, PyAV (extra `gateway`)."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from boardless import cli
from boardless.gateway.carrier import Carrier, CarrierLost, MqttCarrier, SerialCarrier
from boardless.gateway.clip import RATE, make_clip
from boardless.gateway.video import open_video, write_video
from boardless_sim.errors import ConfigError, FrameError

pytest.importorskip("av", reason="av: pip install 'boardless[gateway]'")
paho = pytest.importorskip("paho.mqtt.client", reason="paho: pip install 'boardless[gateway]'")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
TRIES = 2000


def until(condition: Callable[[], bool]) -> None:
    """Ask until it is so: a broker and a terminal answer in their own time."""
    for _ in range(TRIES):
        if condition():
            return
        select.select([], [], [], 0.005)
    pytest.fail("nothing came")


class Broker:
    """One mosquitto on a loopback port."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true\n") -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nuser root\n{extra}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.05):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


@pytest.fixture(name="broker")
def broker_fixture(tmp_path: Path) -> Iterator[Broker]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto: apt-get install mosquitto")
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


def device_on(port: int) -> tuple[object, list[bytes]]:
    """A client that stands for the device's end: what it is sent, and an answer to each."""
    seen: list[bytes] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)

    def arrived(_client: object, _data: object, message: object) -> None:
        seen.append(message.payload)  # type: ignore[attr-defined]
        client.publish("door/line", f"r- counter={len(seen)} code=0 last=1 state=0 why=0")

    client.on_connect = lambda *_: client.subscribe("door/command", qos=1)
    client.on_message = arrived
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client, seen


def test_packets_and_answers_go_through_a_broker(broker: Broker) -> None:
    client, seen = device_on(broker.port)
    lines: list[str] = []
    with closing(MqttCarrier("127.0.0.1", broker.port, "door")) as carrier:
        carrier.open()

        def answered() -> bool:
            try:
                carrier.write(b"\x01\x02")
            except CarrierLost:
                return False  # not connected yet
            lines.extend(carrier.lines())
            return bool(lines)

        until(answered)
    assert seen[0] == b"\x01\x02"
    assert lines[0].startswith("r- counter=")
    client.loop_stop()  # type: ignore[attr-defined]


def test_a_broker_that_is_gone_is_a_lost_carrier(broker: Broker) -> None:
    broker.stop()
    carrier = MqttCarrier("127.0.0.1", broker.port, "door")
    with pytest.raises(CarrierLost, match="expected an MQTT broker"):
        carrier.open()


def test_wrong_credentials_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto: apt-get install mosquitto")
    broker = Broker(tmp_path, "allow_anonymous false\n")
    broker.start()
    monkeypatch.setenv("BOARDLESS_MQTT_USER", "nobody")
    monkeypatch.setenv("BOARDLESS_MQTT_PASSWORD", "secret-word")
    with closing(MqttCarrier("127.0.0.1", broker.port, "door")) as carrier:
        carrier.open()

        said: list[str] = []

        def refused() -> bool:
            try:
                carrier.lines()
            except ConfigError as error:
                said.append(str(error))
            return bool(said)

        until(refused)
    assert "expected valid credentials" in said[0]
    assert "secret-word" not in said[0]
    broker.stop()


def test_a_serial_port_carries_bytes_and_lines() -> None:
    pytest.importorskip("serial", reason="pyserial: pip install 'boardless[gateway]'")
    controller, terminal = os.openpty()
    with closing(SerialCarrier(os.ttyname(terminal))) as carrier:
        carrier.open()
        carrier.write(b"\x01\x02\x00")
        assert os.read(controller, 16) == b"\x01\x02\x00"
        os.write(controller, b"r- counter=1 co")
        assert take(carrier) == []
        os.write(controller, b"de=0\r\nm- hello\n")
        lines: list[str] = []

        def whole() -> bool:
            lines.extend(carrier.lines())
            return len(lines) == 2

        until(whole)
        assert lines == ["r- counter=1 code=0", "m- hello"]
    os.close(controller)
    os.close(terminal)


def take(carrier: Carrier) -> list[str]:
    return carrier.lines()


def test_a_port_that_is_not_there_is_a_lost_carrier() -> None:
    pytest.importorskip("serial", reason="pyserial: pip install 'boardless[gateway]'")
    with pytest.raises(CarrierLost, match="expected a serial port"):
        SerialCarrier("/dev/does-not-exist").open()


def test_a_clip_goes_through_a_file_and_comes_back(tmp_path: Path) -> None:
    clip, path = make_clip(5), tmp_path / "clip.mp4"
    write_video(path, clip.pictures, RATE)
    found = list(open_video(str(path)))
    assert len(found) == len(clip.pictures)
    assert found[30][0] == pytest.approx(1.0, abs=0.001)
    error = np.abs(found[40][1].astype(int) - clip.pictures[40].astype(int)).mean()
    assert error < 10  # what the codec leaves of the noise


def test_a_broken_video_is_a_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, path = make_clip(5), tmp_path / "clip.mp4"
    write_video(path, clip.pictures, RATE)
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(FrameError, match="expected a video"):
        list(open_video(str(path)))
    assert cli.main(["gateway", str(path), "--dry-run"]) == 2
    assert "expected a video" in capsys.readouterr().err


def test_a_folder_of_frames_is_a_video(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="no picture, expected frames"):
        list(open_video(str(tmp_path)))


def test_a_dry_run_ends_with_the_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, line = tmp_path / "clip.mp4", tmp_path / "events.png"
    write_video(path, make_clip(5).pictures, RATE)
    assert cli.main(["gateway", str(path), "--dry-run", "--time-line", str(line)]) == 0
    out = capsys.readouterr().out
    assert out.index("enter") < out.index("leave")
    assert line.read_bytes()[:4] == b"\x89PNG"

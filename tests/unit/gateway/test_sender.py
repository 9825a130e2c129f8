from __future__ import annotations

from pathlib import Path

import pytest

from boardless.gateway.carrier import CarrierLost
from boardless.gateway.command import PING, STOP, Command, PacketError, ResponseCode, anim, led
from boardless.gateway.mapping import Reactions
from boardless.gateway.packets import Encoding, decode
from boardless.gateway.sender import ANSWER_S, MOST_AHEAD, MOST_WAITING, RETRIES, Sender

KEY = bytes(range(32))
REACTIONS = Reactions({}, Encoding.CBOR, 16)
STEP_S = 0.002


class Device:
    """A carrier with a device behind it that acts as the firmware does."""

    def __init__(self) -> None:
        self.last = 0
        self.acted: list[Command] = []
        self.counters: list[int] = []
        self.wakes = 0
        self.deaf = self.mute = self.gone = False
        self.opened = 0
        self._said: list[str] = []

    def open(self) -> None:
        if self.gone:
            raise CarrierLost("gone, expected a port")
        self.opened += 1

    def write(self, data: bytes) -> None:
        if self.gone:
            raise CarrierLost("gone, expected a port")
        if data == b"\0":
            self.wakes += 1
        elif not self.deaf:
            self._take(data)

    def _take(self, data: bytes) -> None:
        counter, code = 0, ResponseCode.OK
        try:
            packet = decode(data[:-1], KEY, self.last)
            counter = self.last = packet.counter
            self.acted.append(packet.command)
        except PacketError as error:
            code = error.code
            if code in (ResponseCode.REPEATED, ResponseCode.OLD):
                counter = decode(data[:-1], KEY, 0).counter
        self.counters.append(counter)
        if not self.mute:
            self._said.append(
                f"r- counter={counter} code={int(code)} last={self.last} state=0 why=0"
            )

    def lines(self) -> list[str]:
        if self.gone:
            raise CarrierLost("gone, expected a port")
        found, self._said = self._said, []
        return found

    def close(self) -> None:
        self.gone = True


@pytest.fixture(name="device")
def device_fixture() -> Device:
    return Device()


@pytest.fixture(name="sender")
def sender_fixture(device: Device, tmp_path: Path) -> Sender:
    return Sender(device, KEY, REACTIONS, tmp_path / "counter")


def run(sender: Sender, start_s: float, duration_s: float) -> float:
    now_s = start_s
    while now_s < start_s + duration_s:
        sender.step(now_s)
        now_s += STEP_S
    return now_s


def test_a_wake_byte_goes_first_and_the_command_once(sender: Sender, device: Device) -> None:
    sender.offer(anim(1, 100), 0.0)
    run(sender, 0.0, 0.1)
    assert device.acted == [anim(1, 100)]
    assert device.wakes == 1
    assert sender.statistics.acknowledged == 1


def test_a_lost_answer_is_asked_for_with_the_same_counter(sender: Sender, device: Device) -> None:
    device.mute = True
    sender.offer(anim(1, 100), 0.0)
    now_s = run(sender, 0.0, 1.5 * ANSWER_S)
    device.mute = False
    run(sender, now_s, 2 * ANSWER_S)
    assert device.acted == [anim(1, 100)]  # never twice
    assert set(device.counters) == {1}
    assert sender.statistics.sent[0].code == ResponseCode.REPEATED
    assert sender.statistics.retries >= 1


def test_a_deaf_device_is_given_up_and_the_next_command_goes_on(
    sender: Sender, device: Device
) -> None:
    device.deaf = True
    sender.offer(anim(1, 100), 0.0)
    now_s = run(sender, 0.0, (RETRIES + 2) * ANSWER_S)
    assert sender.statistics.lost == 1
    device.deaf = False
    sender.offer(STOP, now_s)
    run(sender, now_s, 0.2)
    assert device.acted == [STOP]


def test_a_device_that_is_ahead_is_followed(sender: Sender, device: Device) -> None:
    device.last = 5000
    sender.offer(anim(1, 100), 0.0)
    run(sender, 0.0, 0.2)
    assert device.acted == [anim(1, 100)]
    assert device.last == 5001


def test_a_counter_far_ahead_is_not_believed(sender: Sender, device: Device) -> None:
    device.last = MOST_AHEAD + 100
    sender.offer(anim(1, 100), 0.0)
    run(sender, 0.0, 0.2)
    assert device.acted == []
    assert sender.statistics.refused == 1


def test_of_two_commands_that_wait_the_later_one_goes(sender: Sender, device: Device) -> None:
    for number in range(3 * MOST_WAITING):
        sender.offer(anim(number, 100), 0.0)
        sender.offer(led(number, 100), 0.0)
    run(sender, 0.0, 0.2)
    assert device.acted == [anim(47, 100), led(47, 100)]
    assert sender.statistics.dropped == 2 * 3 * MOST_WAITING - 2


def test_a_port_that_comes_back_is_used_again(sender: Sender, device: Device) -> None:
    sender.offer(anim(1, 100), 0.0)
    now_s = run(sender, 0.0, 0.1)
    device.gone = True
    sender.offer(anim(2, 100), now_s)
    now_s = run(sender, now_s, 3.0)
    device.gone = False
    run(sender, now_s, 2.0)
    assert device.acted[:2] == [anim(1, 100), anim(2, 100)]
    assert device.opened == 2


def test_a_quiet_gateway_pings(sender: Sender, device: Device) -> None:
    run(sender, 0.0, 7.0)
    assert device.acted == [PING] * 4  # at 0, 2, 4 and 6 s
    assert sender.idle


def test_the_counter_outlives_the_gateway(device: Device, tmp_path: Path) -> None:
    for number in range(3):
        sender = Sender(device, KEY, REACTIONS, tmp_path / "counter")
        sender.offer(anim(number, 100), 0.0)
        run(sender, 0.0, 0.1)
    assert device.acted == [anim(number, 100) for number in range(3)]
    assert (tmp_path / "counter").read_text() == "3\n"


def test_another_key_is_refused_and_said(device: Device, tmp_path: Path) -> None:
    sender = Sender(device, bytes(32), REACTIONS, tmp_path / "counter")
    sender.offer(STOP, 0.0)
    run(sender, 0.0, 0.2)
    assert device.acted == []
    assert sender.statistics.sent[0].code == ResponseCode.UNSIGNED

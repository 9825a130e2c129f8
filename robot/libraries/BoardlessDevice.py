"""Robot Framework library `BoardlessDevice`: the command device on the virtual board."""

from __future__ import annotations

from robot.api.deco import library

from boardless.suites.keywords.arguments import CONVERTERS
from boardless.suites.keywords.device import DeviceKeywords


@library(scope="SUITE", auto_keywords=False, doc_format="ROBOT", converters=CONVERTERS)
class BoardlessDevice(DeviceKeywords):
    """Tests of a device that takes signed commands, shows animations, moves a servo, lights an LED.

    All times are virtual. A device has its own key, made when the library is loaded; its line wakes
    it from Stop mode before each command.

    | *** Settings ***
    | Library          BoardlessDevice
    | Test Teardown    Power Off Device
    |
    | *** Test Cases ***
    | A Servo Moves At Once
    |     Power On Device    build/firmware/command.elf
    |     Send Command    servo    angle=90    dur=500
    |     Answer Should Be    ok
    |     Servo Should Be At    90
    |     Latency Should Be At Most    10 ms
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        super().__init__()
        self.ROBOT_LIBRARY_LISTENER = self

    def _end_suite(self, _data: object, _result: object) -> None:
        self.power_off_device()

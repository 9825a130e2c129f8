"""Robot Framework library `Boardless`: a virtual board with a camera, driven by keywords."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

from robot.api.deco import library

from boardless.running.evidence import clear, save
from boardless.suites.check_file import append_checks
from boardless.suites.fingerprints import CaseFingerprint, append_fingerprint
from boardless.suites.keywords.area import robot_variable
from boardless.suites.keywords.arguments import CONVERTERS
from boardless.suites.keywords.board import BoardKeywords
from boardless.suites.keywords.camera import CameraKeywords
from boardless.suites.keywords.faults import FaultKeywords
from boardless.suites.keywords.parts import PartKeywords
from boardless.suites.keywords.pins import PinKeywords
from boardless.suites.keywords.results import ResultKeywords
from boardless.suites.keywords.running import RunningKeywords
from boardless.suites.replay import Replay, clear_replay, save_replay


class _Test(Protocol):
    longname: str
    name: str
    source: Path


class _Outcome(Protocol):
    failed: bool


@library(scope="SUITE", auto_keywords=False, doc_format="ROBOT", converters=CONVERTERS)
class Boardless(
    RunningKeywords,
    CameraKeywords,
    FaultKeywords,
    ResultKeywords,
    BoardKeywords,
    PinKeywords,
    PartKeywords,
):
    """Tests of STM32 camera firmware on a virtual board.

    A *board* runs one firmware (an ELF) on a virtual STM32F407 whose camera sees the *frames* that
    a test shows. All times are *virtual time*: core cycles of the board, never the host's clock, so
    that a test gives the same verdict on every machine. Durations are written as `20 ms`, `1.5 s`
    or `700 us`; sizes as `8 KiB` or `8192`.

    A firmware speaks in UART lines, one prefix a kind: `m-` message, `e-` error, `r-` result, one
    for each frame.

    | *** Settings ***
    | Library          Boardless
    | Test Teardown    Power Off Board
    |
    | *** Test Cases ***
    | Sneaker Is Recognised
    |     Power On Board    build/firmware/boardless.elf
    |     Show Frame    shoes/sneaker.png
    |     Run Until Result    limit=500 ms
    |     Result Class Should Be    7
    |     Result Time Should Be At Most    total    60 ms

    When a keyword fails, the log shows the last frame as a picture, the UART transcript, the fault
    and the virtual time. A failed test leaves the same as files in `evidence/<test>` of the output
    folder.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        super().__init__()
        self.ROBOT_LIBRARY_LISTENER = self

    def _start_test(self, data: _Test, _result: object) -> None:
        self.evidence_logged = False
        self.checks = []
        clear_replay(_evidence_folder(data))
        clear(_evidence_folder(data))

    def _end_test(self, data: _Test, result: _Outcome) -> None:
        evidence, found = self.rig.evidence(), self.rig.take_fingerprint()
        if result.failed and evidence is not None:
            save(evidence, _evidence_folder(data))
            self._save_replay(data, found)
        if robot_variable("${OUTPUT FILE}") == "NONE":  # nothing is to be left, as in a dry run
            return
        folder = Path(robot_variable("${OUTPUT DIR}"))
        append_fingerprint(folder, data.longname, CaseFingerprint(not result.failed, found))
        if self.checks:
            append_checks(folder, data.longname, self.checks)

    def _save_replay(self, data: _Test, digest: str) -> None:
        last = self.rig.last_run
        if last is None:
            return
        setup, image = last
        here = Path.cwd()
        given = robot_variable("${FIRMWARE}")
        replay = Replay(
            suite=Path(os.path.relpath(data.source, here)),
            test=data.name,
            checkout=here,
            elf=image.raw,
            is_given=bool(given) and Path(given).resolve() == setup.elf.resolve(),
            engine=setup.engine,
            digest=digest,
        )
        save_replay(replay, _evidence_folder(data))

    def _end_suite(self, _data: object, _result: object) -> None:
        self.rig.power_off()


def _evidence_folder(test: _Test) -> Path:
    name = re.sub(r"[^\w.-]+", "_", test.longname)
    return Path(robot_variable("${OUTPUT DIR}")) / "evidence" / name

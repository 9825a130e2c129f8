"""The library with a scripted engine behind it, for suites that need no firmware."""

from __future__ import annotations

from pathlib import Path

from robot.api.deco import keyword, library

from Boardless import Boardless
from boardless.suites.keywords.arguments import CONVERTERS
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import Engine
from tests.unit.running.fake_engine import FakeEngine, frames


class _Setup:
    elf = Path("app.elf")

    def power_on(self, image: FirmwareImage | None = None) -> Engine:
        return FakeEngine()


@library(scope="SUITE", auto_keywords=False, converters=CONVERTERS)
class FakeBoard(Boardless):
    @keyword
    def power_on_fake(self) -> None:
        self.rig.power_on(_Setup())  # type: ignore[arg-type]
        for frame in frames(2):
            self.rig.show(frame)

"""The library with a scripted engine behind it, for suites that need no firmware."""

from __future__ import annotations

from pathlib import Path

from robot.api.deco import keyword, library

from Boardless import Boardless
from boardless.suites.keywords.area import Size
from boardless_sim.engines.engine import Engine
from tests.unit.running.fake_engine import FakeEngine, frames


class _Setup:
    elf = Path("app.elf")

    def power_on(self) -> Engine:
        return FakeEngine()


@library(scope="SUITE", auto_keywords=False, converters={Size: Size.from_text})
class FakeBoard(Boardless):
    @keyword
    def power_on_fake(self) -> None:
        self.bench.power_on(_Setup())  # type: ignore[arg-type]
        for frame in frames(2):
            self.bench.show(frame)

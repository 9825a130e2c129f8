"""Which firmware goes on which board: the one place that chooses an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from boardless_sim.boards.plan import PLAIN, BoardPlan
from boardless_sim.contract import REFERENCE, Contract, Symbols
from boardless_sim.elf.image import AS_IT_IS, ImagePlan, load_image
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.errors import EngineError, ImageError

if TYPE_CHECKING:
    from boardless.project.project import Project
    from boardless_sim.elf.image import FirmwareImage
    from boardless_sim.engines.engine import Engine
    from boardless_sim.engines.native.engine import NativeEngine

NATIVE = "native"
# Where each stands; imported when it is asked for. Another one than native takes no arguments.
ENGINES: Mapping[str, str] = {
    NATIVE: "boardless_sim.engines.native.engine:NativeEngine",
    "renode": "boardless_sim.engines.renode.engine:RenodeEngine",
    "qemu": "boardless_sim.engines.gdb.qemu:QemuEngine",
}
# Fields of a board's plan that an engine has as they are; QEMU has no camera to be wired.
_ONLY_NATIVE: Mapping[str, tuple[str, ...]] = {
    "renode": ("chip", "crystal_hz", "camera", "attached"),
    "qemu": ("chip", "attached"),
}


@dataclass(frozen=True)
class BoardSetup:
    """An ELF and the way to run it. Small and picklable: a worker process gets one of these."""

    elf: Path
    engine: str = "native"
    strict: bool = False
    fast_forward: bool = True
    peripherals: tuple[str, ...] = ()  # files of the user's own, as FILE:CLASS@BASE
    ram_fill: int | None = None  # seed of what RAM holds at power-on, 0: zeros; None: the engine's
    precise: bool = False  # time as a test of times wants it, where the engine has a choice
    contract: Contract = REFERENCE
    bounds: Bounds = DEFAULT
    board: BoardPlan = PLAIN
    image: ImagePlan = AS_IT_IS

    @classmethod
    def of(
        cls,
        project: Project,
        elf: Path,
        *,
        strict: bool = False,
        peripherals: tuple[str, ...] = (),
    ) -> BoardSetup:
        """A project's firmware on its board."""
        return cls(
            elf=elf,
            strict=strict,
            peripherals=peripherals,
            contract=project.contract,
            board=project.board,
            image=project.image,
        )

    def load(self) -> FirmwareImage:
        """The firmware as it is flashed. Raises `ImageError`."""
        return load_image(self.elf, self.image)

    def power_on(self, image: FirmwareImage | None = None) -> Engine:
        """A board with the firmware in Flash, at virtual time 0. The caller closes it.

        `image`: the ELF, where it is read already.
        """
        from boardless_sim.engines.mailbox.box import mailbox_of

        if self.engine not in ENGINES:
            raise EngineError(f"engine {self.engine!r}, expected one of: {', '.join(ENGINES)}")
        image = self.load() if image is None else image
        _require_symbols(image, self.contract.symbols)
        engine = self._create()
        engine.contract, engine.bounds = self.contract, self.bounds
        if self.engine != "qemu" and mailbox_of(image, self.contract) is not None:
            from boardless_sim.engines.mailbox.fed import MailboxFed

            engine = MailboxFed(engine)
        try:
            engine.load(image)
            if self.precise:
                engine.be_precise()
        except BaseException:
            engine.close()
            raise
        return engine

    def _create(self) -> Engine:
        if self.engine != NATIVE:
            self._require_plain_board()
            module, _, name = ENGINES[self.engine].partition(":")
            create: Callable[[], Engine] = getattr(import_module(module), name)
            return create()
        return self.native()

    def native(self) -> NativeEngine:
        """A native engine for what only it can do; nothing is loaded yet."""
        from boardless_sim.boards.plan import make_board
        from boardless_sim.boards.ram_fill import RAM_FILL
        from boardless_sim.engines.native.engine import NativeEngine

        engine = NativeEngine(
            self.strict,
            self.fast_forward,
            self.peripherals,
            board=make_board(self.board),
            ram_fill=RAM_FILL if self.ram_fill is None else self.ram_fill,
        )
        engine.contract, engine.bounds = self.contract, self.bounds
        return engine

    def _require_plain_board(self) -> None:
        """What only the native engine's devices offer."""
        for what, asked in (
            ("strict mode", self.strict),
            ("peripherals", self.peripherals),
            ("RAM fill", self.ram_fill is not None),
            *((f"{name} but the reference board's", True) for name in self._own_wires()),
        ):
            if asked:
                raise EngineError(f"engine {self.engine}: no {what}, expected engine native")

    def _own_wires(self) -> Iterator[str]:
        """Where the board is another one than the only one that the engine has."""
        everything = tuple(field.name for field in fields(BoardPlan))
        for name in _ONLY_NATIVE.get(self.engine, everything):
            if getattr(self.board, name) != getattr(PLAIN, name):
                yield name.removesuffix("_hz")


def _require_symbols(image: FirmwareImage, symbols: Symbols) -> None:
    """A name of the project's own must be there; one of the reference firmware's need not."""
    for field in fields(Symbols):
        name = getattr(symbols, field.name)
        if name != field.default and name not in image.symbols:
            key = field.name.replace("_", "-")
            raise ImageError(f"{image.path}: no symbol {name!r}, expected it ([symbols] {key})")

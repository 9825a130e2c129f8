"""What stages and layers cost: a probe at every function that does one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from boardless.timing.profile.firmware_network import FirmwareNetwork, Layer, read_network
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.probe import CallCost, CallProbe


@dataclass(frozen=True)
class FunctionCost:
    """All calls of a function that ended in the profile. `stack_bytes`: the most of any call."""

    calls: int = 0
    cycles: int = 0
    instructions: int = 0
    sleep_cycles: int = 0
    stack_bytes: int = 0

    def plus(self, call: CallCost, calls: int = 1) -> FunctionCost:
        """One call more, or a part of one: it is a call where it ends."""
        return FunctionCost(
            self.calls + calls,
            self.cycles + call.cycles,
            self.instructions + call.instructions,
            self.sleep_cycles + call.sleep_cycles,
            max(self.stack_bytes, call.stack_bytes),
        )

    def without(self, part: CallCost) -> FunctionCost:
        """Less a part of a call that does not count."""
        return FunctionCost(
            self.calls,
            self.cycles - part.cycles,
            self.instructions - part.instructions,
            self.sleep_cycles - part.sleep_cycles,
            self.stack_bytes,
        )


@dataclass(frozen=True)
class Stage:
    """A part of every frame, and the function that does it."""

    name: str
    function: str
    cost: FunctionCost


class StageCosts:
    """The stages that the firmware has functions for."""

    def __init__(self, engine: NativeEngine, image: FirmwareImage) -> None:
        self._costs: dict[str, FunctionCost] = {}
        self._functions = engine.contract.stages
        self._probes = {
            name: CallProbe(engine, image.symbol(function).address, partial(self._add, name))
            for name, function in self._functions.items()
            if _is_function(image, function)
        }
        self.begin()

    def begin(self) -> None:
        """Forget what was counted so far, of a call in progress too."""
        for name, probe in self._probes.items():
            before = probe.so_far()
            self._costs[name] = FunctionCost() if before is None else FunctionCost().without(before)

    def found(self) -> Iterator[Stage]:
        """Every stage, in the order of the contract."""
        for name, probe in self._probes.items():
            cost, part = self._costs[name], probe.so_far()
            yield Stage(
                name, self._functions[name], cost if part is None else cost.plus(part, calls=0)
            )

    def _add(self, name: str, call: CallCost) -> None:
        self._costs[name] = self._costs[name].plus(call)


@dataclass(frozen=True)
class LayerCost:
    """A layer and its calls. `work_bytes`: its kernel's room besides the arena, None: not told."""

    layer: Layer
    cost: FunctionCost
    work_bytes: int | None

    @property
    def ram_bytes(self) -> int:
        """Of the tensors that it reads and writes, and its kernel's room."""
        return self.layer.tensor_bytes + (self.work_bytes or 0)


class LayerCosts:
    """The layers of a firmware whose kernels stand behind nn_backend.h; none of another one."""

    def __init__(self, engine: NativeEngine, image: FirmwareImage) -> None:
        self._engine, self._image = engine, image
        self._network: FirmwareNetwork | None = None
        self._costs: dict[Layer, FunctionCost] = {}
        self._work_bytes: dict[int, int] = {}  # by the address of a layer's entry
        self._asked = 0
        self._caller = ""
        self.running: Layer | None = None
        symbols = engine.contract.symbols
        if _is_function(image, symbols.layer):
            CallProbe(engine, image.symbol(symbols.layer).address, self._left, self._entered)
        if _is_function(image, symbols.layer_work):
            address = image.symbol(symbols.layer_work).address
            CallProbe(engine, address, self._told, self._ask)

    def begin(self) -> None:
        """Forget what was counted so far."""
        self._costs = {layer: FunctionCost() for layer in self._costs}

    def found(self) -> Iterator[LayerCost]:
        """Every layer of the network, in order; none before the first has run."""
        if self._network is not None:
            for layer in self._network.layers:
                entry = self._network.entry_of(layer)
                yield LayerCost(
                    layer, self._costs.get(layer, FunctionCost()), self._work_bytes.get(entry)
                )

    def within(self, stack: tuple[str, ...]) -> tuple[str, ...]:
        """A call stack, outermost first, with the running layer under the function that runs it.

        The layer is outermost where that function is not known to be on the stack.
        """
        if self.running is None:
            return stack
        if self._caller in stack:
            at = len(stack) - stack[::-1].index(self._caller)
            return (*stack[:at], label(self.running), *stack[at:])
        return stack if self._engine.is_in_handler() else (label(self.running), *stack)

    def _entered(self) -> None:
        engine = self._engine
        if self._network is None:
            self._network = read_network(engine, engine.read_register("r0"))
            self._costs = {layer: FunctionCost() for layer in self._network.layers}
        self.running = self._network.layer_at(engine.read_register("r1"))
        self._caller = self._image.function_at(engine.read_register("lr") - 2)

    def _left(self, call: CallCost) -> None:
        if self.running is not None:
            self._costs[self.running] = self._costs[self.running].plus(call)
        self.running = None

    def _ask(self) -> None:
        self._asked = self._engine.read_register("r1")

    def _told(self, _call: CallCost) -> None:
        self._work_bytes[self._asked] = self._engine.read_register("r0")


def label(layer: Layer) -> str:
    """A layer's name among functions."""
    return f"layer {layer.index}: {layer}"


def _is_function(image: FirmwareImage, name: str) -> bool:
    symbol = image.symbols.get(name)
    return symbol is not None and symbol.kind == "function"

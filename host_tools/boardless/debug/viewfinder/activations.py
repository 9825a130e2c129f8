"""What a firmware's network saw, and what each of its layers made of it, as they run."""

from __future__ import annotations

from dataclasses import dataclass

from boardless.timing.profile.firmware_network import ArenaTensor, FirmwareNetwork, read_network
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError

_MOST_BYTES = 1 << 16  # of one layer; more is no picture any more


@dataclass(frozen=True)
class LayerValues:
    """A tensor [height, width, channels] of int8, as bytes; empty where it is too large to show."""

    name: str
    shape: tuple[int, int, int]
    values: bytes


class Activations:
    """Of the last inference. A firmware without nn_backend.h has none.

    A layer's output is whole when the next one begins, the last one's when the firmware prints.
    """

    def __init__(self, engine: NativeEngine) -> None:
        self._engine = engine
        self._network: FirmwareNetwork | None = None
        self._arena = 0
        self._running: int | None = None
        self._now: dict[int, LayerValues] = {}
        self.whole: dict[int, LayerValues] = {}  # by layer; -1 is the network's input
        symbols, image = engine.contract.symbols, engine.image
        layer = image.symbols.get(symbols.layer)
        prints = image.symbols.get(engine.contract.stages.get("print", ""))
        if layer is not None and prints is not None:
            engine.watch(layer.address, self._begins)
            engine.watch(prints.address, self._prints)

    def forget(self) -> None:
        """The board is somewhere else: an inference that was begun does not end."""
        self._running = None

    def _begins(self) -> None:
        engine = self._engine
        try:
            if self._network is None:
                self._network = read_network(engine, engine.read_register("r0"))
            layer = self._network.layer_at(engine.read_register("r1"))
        except EngineError:
            return  # another firmware's function of that name
        self._ended()
        self._arena, self._running = engine.read_register("r2"), layer.index
        if layer.index == 0:
            self._keep(-1, "input", layer.source)

    def _prints(self) -> None:
        self._ended()
        self.whole = dict(self._now)

    def _ended(self) -> None:
        if self._running is not None and self._network is not None:
            layer = self._network.layers[self._running]
            self._keep(layer.index, f"{layer.index}: {layer}", layer.target)
            self._running = None

    def _keep(self, number: int, name: str, tensor: ArenaTensor) -> None:
        size = tensor.size_bytes
        values = b""
        if size <= _MOST_BYTES:
            values = self._engine.read_memory(self._arena + tensor.offset, size)
        self._now[number] = LayerValues(name, tensor.shape, values)

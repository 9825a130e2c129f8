"""The firmware in this process: the C core, the board's devices, probes on functions."""

from boardless_sim.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]

"""The rig under the name by which scripts import it."""

from boardless.running.rig import Bench

__all__ = ["Bench"]

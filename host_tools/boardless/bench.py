"""The rig under the name by which scripts import it."""

from boardless.running.rig import Rig as Bench

__all__ = ["Bench"]

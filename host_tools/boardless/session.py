"""The set-up of a board under the name by which scripts import it."""

from boardless.running.session import ENGINES, BoardSetup

__all__ = ["ENGINES", "BoardSetup"]

"""Training that was interrupted: its state after each epoch, in a file beside the output."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from boardless_sim.errors import ModelError


@dataclass(frozen=True)
class StateFile:
    """Where the state is kept, and which run it belongs to."""

    path: Path
    run: str

    @classmethod
    def beside(cls, output: Path, **what: Any) -> StateFile:
        """The state file of the run that makes `output` out of `what`."""
        text = json.dumps(what, sort_keys=True, default=str)
        run = hashlib.sha256(text.encode("utf-8")).hexdigest()
        return cls(output.with_name(output.name + ".partial"), run)

    def save(self, state: dict[str, Any]) -> None:
        """Write the state whole or not at all."""
        body = {"run": self.run, "random": torch.get_rng_state(), **state}
        fresh = self.path.with_name(self.path.name + ".new")
        torch.save(body, fresh)
        fresh.replace(self.path)

    def load(self) -> dict[str, Any] | None:
        """The state to go on from; None when there is none."""
        if not self.path.exists():
            return None
        try:
            body = torch.load(self.path, weights_only=True)
            run = body["run"]
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as no:
            raise ModelError(f"{self.path}: not the state of a training ({no})") from no
        if run != self.run:
            raise ModelError(
                f"{self.path}: the state of another training (seed, recipe, network or data set "
                "differ); remove it to begin anew"
            )
        torch.set_rng_state(body["random"])
        return dict(body)

    def remove(self) -> None:
        """The training is through; nothing is left to resume."""
        self.path.unlink(missing_ok=True)

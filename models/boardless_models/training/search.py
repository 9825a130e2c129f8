"""Random search over blocks under the byte and cycle limits (PyTorch).

Every candidate is drawn from its own number, so the log can be gone on with: a line that is there
is not trained again. A short training orders networks only roughly; the log says how short it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from boardless_models.data.dataset import Dataset
from boardless_models.data.network import (
    Conv2d,
    Dense,
    Depthwise,
    Layer,
    Network,
    Shape,
    network_to_json,
)
from boardless_models.graph.cost import MODEL_BUDGET_BYTES, network_bytes, network_macs
from boardless_models.graph.cycles import network_cycles
from boardless_models.training.recipe import Recipe
from boardless_models.training.train import train
from boardless_sim.errors import ModelError
from boardless_sim.files import read_text, write_text
from boardless_sim.json_text import parse_json

# 7.7 ms at 168 MHz.
CYCLE_LIMIT = 1_300_000
# A network that leaves more than this of the budget unused is not worth its training.
LEAST_BYTES = 6_500
DRAWS = 10_000


@dataclass(frozen=True)
class Trial:
    """One line of the log."""

    candidate: int
    network: str
    bytes: int
    macs: int
    cycles: int
    seed: int
    epochs: int
    frames: int
    dataset_sha256: str
    validation_accuracy: float


def drawn_network(random: np.random.Generator) -> Network:
    """Two pooled stages, then one to three blocks on 7×7, the last of them pooled, then dense."""

    def width(low: int, high: int) -> int:
        return 4 * int(random.integers(low, high + 1))

    bits = int(random.choice([4, 8]))
    layers: list[Layer] = [
        Conv2d(width(2, 3), 3, 2),
        Conv2d(width(3, 6), 3, 2, bits=bits),
    ]
    blocks = int(random.integers(1, 4))
    for block in range(blocks):
        pool = 2 if block == blocks - 1 else 1
        if random.random() < 0.35:
            layers += [Depthwise(), Conv2d(width(4, 12), 1, pool, bits=bits)]
        else:
            layers.append(Conv2d(width(4, 10), 3, pool, bits=bits))
    return Network("candidate", Shape(28, 28, 1), (*layers, Dense(10, bits=bits)))


def candidate(seed: int, number: int) -> Network:
    """The number's first draw that the kernels run and both limits allow."""
    random = np.random.default_rng([seed, number])
    for _ in range(DRAWS):
        network = drawn_network(random)
        if not LEAST_BYTES <= network_bytes(network) <= MODEL_BUDGET_BYTES:
            continue
        cycles = network_cycles(network)
        if cycles is not None and cycles <= CYCLE_LIMIT:
            return replace(network, name=f"candidate_{number}")
    raise ModelError(f"candidate {number}: no network within the limits in {DRAWS} draws")


def read_log(path: Path) -> list[Trial]:
    """The trials that are there; a last line that was cut off is left out."""
    if not path.exists():
        return []
    trials: list[Trial] = []
    lines = read_text(path, "the log of a search", ModelError).splitlines()
    for number, line in enumerate(lines):
        try:
            trials.append(Trial(**parse_json(line, path, "a trial", ModelError)))
        except (TypeError, ModelError) as cause:
            if number == len(lines) - 1:
                break
            raise ModelError(f"{path}:{number + 1}: not a trial ({cause})") from cause
    return trials


def write_log(path: Path, trials: list[Trial]) -> None:
    """Every trial on a line of its own, whole or not at all."""
    lines = (json.dumps(asdict(trial), sort_keys=True) for trial in trials)
    write_text(path, "".join(f"{line}\n" for line in lines))


def search(path: Path, dataset: Dataset, seed: int, recipe: Recipe, count: int) -> Iterator[Trial]:
    """Train the candidates that the log lacks, one after the other, and log each at once."""
    trials = read_log(path)
    for trial in trials:
        asked = (seed, recipe.epochs, len(dataset.train), dataset.sha256)
        if (trial.seed, trial.epochs, trial.frames, trial.dataset_sha256) != asked:
            raise ModelError(f"{path}: the log of another search; give this one a file of its own")
    for number in range(len(trials), count):
        network = candidate(seed, number)
        judged = train(network, dataset, seed, recipe).record.validation_accuracy
        if judged is None:
            raise ModelError("a search is judged by the validation split: it cannot be trained on")
        trials.append(
            Trial(
                candidate=number,
                network=network_to_json(network),
                bytes=network_bytes(network),
                macs=network_macs(network),
                cycles=network_cycles(network) or 0,
                seed=seed,
                epochs=recipe.epochs,
                frames=len(dataset.train),
                dataset_sha256=dataset.sha256,
                validation_accuracy=judged,
            )
        )
        write_log(path, trials)
        yield trials[-1]

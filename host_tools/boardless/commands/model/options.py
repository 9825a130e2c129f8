"""The options that the training steps share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from boardless.commands.options import PATH, Whole
from boardless_models.data.dataset import DATASET_FOLDER
from boardless_models.data.network import Network, network_from_json
from boardless_models.data.networks import NETWORKS
from boardless_models.training.recipe import Recipe
from boardless_sim.errors import ModelError
from boardless_sim.files import read_text

Command = Callable[..., None]

HELP = {
    "epochs": "how many times every training frame is seen",
    "peak_rate": "the highest rate",
    "warm_up": "share of the steps in which the rate rises",
    "weight_decay": "decay of the weights",
    "label_smoothing": "share of the label spread over all classes",
    "shift": "pixels that a frame is moved by at most",
    "flip": "mirror half of the frames",
    "erase": "share of the frames with a small black square",
    "average": "decay of the running mean of the weights; 0 for none",
    "distilled": "share of the loss that the teacher has",
    "temperature": "how much the teacher's word is softened",
    "whole": "train on the validation frames too, and keep the last epoch",
    "grid": "share of the epochs, the last ones, with the weights on the grid of their bits",
    "bfloat16": "compute the forward pass in bfloat16",
}


def parse_network(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> Network | None:
    """A network by its name, or from a JSON file."""
    if value is None:
        return None
    if value in NETWORKS:
        return NETWORKS[value]
    text = read_text(Path(value), f"one of {', '.join(NETWORKS)}, or JSON", ModelError)
    try:
        return network_from_json(text)
    except ModelError as cause:
        raise ModelError(f"{value}: {cause}") from cause


network_option = click.option(
    "--network",
    metavar="NAME",
    callback=parse_network,
    help="Name of a network, or a JSON file that describes one; else that which ships, for the "
    "frames and classes of the data set.",
)
dataset_option = click.option(
    "--dataset",
    type=PATH,
    default=DATASET_FOLDER,
    metavar="PATH",
    help="A folder for each class, IDX files, .npz, .csv; Fashion-MNIST where nothing is said.",
)
teacher_option = click.option("--teacher", type=PATH, metavar="FILE")


def recipe_options(default: Recipe) -> Callable[[Command], Command]:
    """--dataset, --seed, --threads, and one option for every field of the recipe."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def gathered(**given: Any) -> None:
            import torch

            torch.set_num_threads(given.pop("threads"))
            chosen = {field.name: given.pop(field.name) for field in fields(Recipe)}
            command(**given, recipe=replace(default, **chosen))

        decorated: Command = gathered
        for field in reversed(fields(Recipe)):
            value = getattr(default, field.name)
            name = field.name.replace("_", "-")
            flags = f"--{name}/--no-{name}" if isinstance(value, bool) else f"--{name}"
            decorated = click.option(
                flags, field.name, default=value, show_default=True, help=HELP[field.name]
            )(decorated)
        threads = click.option("--threads", type=Whole(1), default=1, show_default=True)
        seed = click.option("--seed", type=Whole(0), default=1, show_default=True)
        return dataset_option(seed(threads(decorated)))

    return decorate

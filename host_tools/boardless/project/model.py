"""`[budget.model]`: the network's sections, its parts, and the artifact that it came from."""

from __future__ import annotations

from dataclasses import dataclass

from boardless.project.budgets import SizeBudget, size_budget
from boardless.project.toml_table import TomlTable

ROLES = {
    "weights": ("weights_*", "*_weights", "g_model*", "*_model_data"),
    "tables": ("bias*_*", "multiplier*_*", "shift*_*", "*_lut", "*_table", "layers"),
    "code": ("nn_*", "arm_nn_*"),
    "arena": ("*arena*", "scratch", "nn_scratch*"),
}


@dataclass(frozen=True)
class Role:
    """What part of a model some symbols are."""

    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """The model as the project describes it; without a budget where the file has no table."""

    budget: tuple[SizeBudget, ...]
    roles: tuple[Role, ...]
    artifact: str | None


def read_model(table: TomlTable) -> Model:
    """`[budget.model]`; each part under its usual names where the file does not give others."""
    given = table.table("roles")
    roles = tuple(Role(name, given.texts(name) or usual) for name, usual in ROLES.items())
    given.close()
    artifact, sections = table.text("artifact"), table.texts("sections") or (".model",)
    budget = (size_budget(table, "model", "section", sections),) if table.given else ()
    table.close()
    return Model(budget, roles, artifact)

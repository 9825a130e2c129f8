"""What a model costs before a compiler has seen it: bytes of `.model`, multiplications, RAM."""

from __future__ import annotations

from dataclasses import dataclass

from boardless_models.data.network import Network, stages
from boardless_models.graph.chain import blank_graph
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Convolve,
    Graph,
    Lookup,
    Mean,
    Multiply,
    Operator,
    Prelu,
    Select,
    macs_of,
)
from boardless_models.graph.memory import in_words
from boardless_models.int8.score import TABLE
from boardless_sim.errors import ModelError

MODEL_BUDGET_BYTES = 8 * 1024
HASH_BYTES = 32
# sizeof nn_tensor, nn_layer, nn_model on the target (firmware/nn/nn_model.h).
TENSOR_BYTES, LAYER_BYTES, MODEL_BYTES = 12, 32, 24
TABLE_BYTES = 256


@dataclass(frozen=True)
class Cost:
    """What one operator takes: of `.model`, and in multiplications."""

    name: str
    model_bytes: int
    macs: int


def operator_bytes(operator: Operator) -> int:
    """What an operator's constants take of `.model`, each array at a multiple of four."""
    return LAYER_BYTES + sum(in_words(size) for size in array_bytes(operator))


def array_bytes(operator: Operator) -> tuple[int, ...]:
    """The bytes of each array of constants."""
    match operator:
        case Convolve():
            outputs = len(operator.bias)
            weights = -(-operator.weight.size * operator.bits // 8)
            return weights, 4 * outputs, 4 * outputs, outputs
        case AddConstant():
            return 4 * operator.addends.shape[1], 4 * 3, 3
        case Add():
            return 4 * 3, 3
        case Prelu():
            # Slopes, two multipliers with the slopes' zero point, two exponents.
            return operator.slope.size, 4 * 3, 2
        case Lookup():
            return (TABLE_BYTES,)
        case Mean() | Multiply():
            return 4, 1
        case Select():
            numbers = (operator.rows, operator.columns, operator.channels)
            return 4 * sum(one.size for one in numbers), 4
    return ()


def graph_costs(graph: Graph) -> tuple[Cost, ...]:
    """Every operator's share, and what all share."""
    shared = HASH_BYTES + MODEL_BYTES + 2 * len(TABLE) + TENSOR_BYTES * len(graph.values)
    return (
        *(
            Cost(operator.name, operator_bytes(operator), macs_of(graph, operator))
            for operator in graph.operators
        ),
        Cost("tables", shared, 0),
    )


def model_bytes(graph: Graph) -> int:
    """The bytes of `.model`, everything included."""
    return sum(cost.model_bytes for cost in graph_costs(graph))


def check_budget(name: str, shares: tuple[Cost, ...], budget: int) -> None:
    """Refuse a model over budget: by how much, and which part takes most."""
    total = sum(cost.model_bytes for cost in shares)
    if total > budget:
        most = max(shares, key=lambda cost: cost.model_bytes)
        raise ModelError(
            f"{name}: {total} bytes of model, {total - budget} over the budget of {budget}; "
            f"{most.name} alone takes {most.model_bytes}"
        )


def network_costs(network: Network) -> tuple[Cost, ...]:
    """What a network will cost that nobody has trained yet."""
    return graph_costs(fused(blank_graph(network)))


def network_bytes(network: Network) -> int:
    """The bytes of `.model` of a network that nobody has trained yet."""
    return sum(cost.model_bytes for cost in network_costs(network))


def network_macs(network: Network) -> int:
    """Multiplications of one inference."""
    return sum(stage.macs for stage in stages(network))

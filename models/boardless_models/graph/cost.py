"""What a network costs before it is built: bytes in .model layer by layer, and MACs."""

from __future__ import annotations

from boardless_models.data.network import Network, Stage, stages, weights_in
from boardless_models.graph.model_cost import (
    HASH_BYTES,
    LAYER_BYTES,
    MODEL_BYTES,
    TABLE_BYTES,
    TENSOR_BYTES,
    in_words,
    prelu_bytes,
)
from boardless_models.int8.score import TABLE
from boardless_sim.errors import ModelError

BUDGET_BYTES = 8_192
# The model's own struct, the score table, the artifact's hash and the input tensor.
FIXED_BYTES = MODEL_BYTES + 2 * len(TABLE) + HASH_BYTES + TENSOR_BYTES


def layer_bytes(stage: Stage) -> int:
    """Weights, what each channel needs besides, the layer's entry and its tensors."""
    outputs = stage.weight_shape[0]
    stored = -(-weights_in(stage.weight_shape) * stage.layer.bits // 8)
    # A dense layer reads a whole tensor as one pixel: a second tensor at the same place.
    tensors = 2 if stage.is_last and (stage.input.height, stage.input.width) != (1, 1) else 1
    entry = LAYER_BYTES + tensors * TENSOR_BYTES
    constants = in_words(stored) + 8 * outputs + in_words(outputs)
    return entry + constants + activation_bytes(stage)


def activation_bytes(stage: Stage) -> int:
    """An activation that is no clamp: slopes or a table, an entry and a tensor; its pool's too."""
    each = LAYER_BYTES + TENSOR_BYTES
    match stage.activation:
        case "prelu":
            return each + sum(in_words(size) for size in prelu_bytes(stage.weight_shape[0]))
        case "hard-swish":
            return each * (2 if stage.pool > 1 else 1) + TABLE_BYTES
    return 0


def network_bytes(network: Network) -> tuple[int, ...]:
    """The bytes of every layer; the last number is what the model needs besides."""
    placed = stages(network)
    each = tuple(layer_bytes(stage) for stage in placed)
    return (*each, FIXED_BYTES)


def network_macs(network: Network) -> int:
    """Multiplications of one inference."""
    return sum(stage.macs for stage in stages(network))


def check_budget(network: Network, budget_bytes: int = BUDGET_BYTES) -> int:
    """The bytes of the network; one over the budget is refused with the layer that takes most."""
    each = network_bytes(network)
    total = sum(each)
    if total > budget_bytes:
        placed = stages(network)
        largest = max(range(len(placed)), key=lambda index: each[index])
        raise ModelError(
            f"{network.name}: {total} bytes, {total - budget_bytes} over the budget of "
            f"{budget_bytes}; layer {largest} ({placed[largest].kind}) takes most, {each[largest]}"
        )
    return total

"""What a network costs before it is built: bytes in .model layer by layer, and MACs."""

from __future__ import annotations

from boardless_models.layout import UNFOLD_TAPS
from boardless_models.network import Network, Stage, stages, weights_in
from boardless_sim.errors import ModelError

BUDGET_BYTES = 8_192
# Bias and multiplier as int32, and the shift.
CHANNEL_BYTES = 9
# An entry of the layer table; then the model's own struct, the score table and the artifact's hash.
ENTRY_BYTES = 24
FIXED_BYTES = 16 + 32 + 32
WORD_BYTES = 4


def layer_bytes(stage: Stage, is_first: bool) -> int:
    """Weights, what each channel needs besides, and the entry in the layer table."""
    outputs = stage.weight_shape[0]
    weights = outputs * UNFOLD_TAPS if is_first else weights_in(stage.weight_shape)
    stored = weights * stage.layer.bits // 8
    # The shifts are bytes: the next array begins at a word.
    alignment = -(stored + outputs) % WORD_BYTES
    return stored + outputs * CHANNEL_BYTES + ENTRY_BYTES + alignment


def network_bytes(network: Network) -> tuple[int, ...]:
    """The bytes of every layer; the last number is what the model needs besides."""
    placed = stages(network)
    each = tuple(layer_bytes(stage, index == 0) for index, stage in enumerate(placed))
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

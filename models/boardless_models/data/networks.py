"""The networks that have a name."""

from __future__ import annotations

from boardless_models.data.network import (
    Conv2d,
    Dense,
    Depthwise,
    Network,
    Shape,
    check_network,
    stages,
)

# The one that ships.
FASHION_MNIST_8K = Network(
    name="fashion_mnist_8k",
    input=Shape(28, 28, 1),
    layers=(
        Conv2d(16, kernel=3, pool=2),
        Conv2d(16, kernel=3, bits=4),
        Conv2d(24, kernel=3, pool=2, bits=4),
        Conv2d(24, kernel=3, pool=2, bits=4),
        Dense(10, bits=4),
    ),
)

# Every weight in 8 bits, a depthwise layer among them: half the time.
FASHION_MNIST_8BIT = Network(
    name="fashion_mnist_8bit",
    input=Shape(28, 28, 1),
    layers=(
        Conv2d(8, kernel=3, pool=2),
        Conv2d(16, kernel=3, pool=2),
        Conv2d(20, kernel=3),
        Depthwise(kernel=3),
        Conv2d(24, kernel=1, pool=2),
        Dense(10),
    ),
)

NETWORKS = {network.name: network for network in (FASHION_MNIST_8K, FASHION_MNIST_8BIT)}


def default_network(shape: Shape, classes: int) -> Network:
    """The layers of the network that ships, over frames of another shape and other classes."""
    shipped = FASHION_MNIST_8K
    if (shape, classes) == (shipped.input, stages(shipped)[-1].output.size):
        return shipped
    network = Network("default", shape, (*shipped.layers[:-1], Dense(classes, bits=4)))
    check_network(network)
    return network

"""The networks that have a name."""

from __future__ import annotations

from boardless_models.network import FASHION_MNIST_8K, Conv2d, Dense, Network, Shape

FASHION_MNIST_4BIT = Network(
    name="fashion_mnist_4bit",
    input=Shape(28, 28, 1),
    layers=(
        Conv2d(8, kernel=3, pool=2),
        Conv2d(16, kernel=3, pool=2, bits=4),
        Conv2d(24, kernel=3, bits=4),
        Conv2d(28, kernel=3, pool=2, bits=4),
        Dense(10, bits=4),
    ),
)

FASHION_MNIST_WIDE = Network(
    name="fashion_mnist_wide",
    input=Shape(28, 28, 1),
    layers=(
        Conv2d(12, kernel=3, pool=2),
        Conv2d(16, kernel=3, pool=2, bits=4),
        Conv2d(24, kernel=3, bits=4),
        Conv2d(28, kernel=3, pool=2, bits=4),
        Dense(10, bits=4),
    ),
)

FASHION_MNIST_DEEP = Network(
    name="fashion_mnist_deep",
    input=Shape(28, 28, 1),
    layers=(
        Conv2d(8, kernel=3, pool=2),
        Conv2d(12, kernel=3, bits=4),
        Conv2d(16, kernel=3, pool=2, bits=4),
        Conv2d(24, kernel=3, bits=4),
        Conv2d(24, kernel=3, pool=2, bits=4),
        Dense(10, bits=4),
    ),
)

NETWORKS = {
    network.name: network
    for network in (
        FASHION_MNIST_8K,
        FASHION_MNIST_4BIT,
        FASHION_MNIST_WIDE,
        FASHION_MNIST_DEEP,
    )
}

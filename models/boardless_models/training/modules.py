"""A stage while it is trained: with its batch norm, or folded and on its grid (PyTorch)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boardless_models.data.network import Network, PlacedLayer, stages
from boardless_models.int8.checkpoint import FloatLayer
from boardless_models.int8.scaling import INT8_MAXIMUM, INT8_MINIMUM, largest_weight

STEPS = INT8_MAXIMUM - INT8_MINIMUM
LEAST_SCALE = 1e-8
FIRST_SLOPE = 0.25

Floats = NDArray[np.float32]


class Activation(nn.Module):
    """The activation that the stage names; a PReLU has one slope for the layer, not below zero."""

    def __init__(self, stage: PlacedLayer, slope: float = FIRST_SLOPE) -> None:
        super().__init__()
        self.name = stage.activation
        if self.name == "prelu":
            self.slope = nn.Parameter(torch.tensor([slope]))

    def forward(self, tensor: Tensor) -> Tensor:
        """The same shape."""
        match self.name:
            case "relu6":
                return nn.functional.relu6(tensor)
            case "prelu":
                return nn.functional.prelu(tensor, self.slope.abs())
            case "hard-swish":
                return nn.functional.hardswish(tensor)
        return nn.functional.relu(tensor)

    def learned_slope(self) -> float:
        """The slope below zero of a PReLU; 0 of every other activation."""
        return float(self.slope.detach().abs()) if self.name == "prelu" else 0.0


class RisingNorm(nn.BatchNorm2d):
    """A batch norm whose gain is never negative: its output does not fall as its input grows."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """The same shape."""
        return nn.functional.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.gain(),
            self.bias,
            self.training,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def gain(self) -> Tensor:
        """What a channel is multiplied by once it is normalised."""
        return self.weight.abs()


def pools_first(stage: PlacedLayer) -> bool:
    """Whether a max-pool may come before norm and activation: neither falls as its input grows."""
    return stage.pool > 1 and stage.activation in ("relu", "relu6")


def pooled(tensor: Tensor, stage: PlacedLayer) -> Tensor:
    """The tensor after the stage's max-pool; the same where there is none."""
    return nn.functional.max_pool2d(tensor, stage.pool) if stage.pool > 1 else tensor


class FloatLayerModule(nn.Module):
    """One stage in training: convolution, batch norm, activation, pool.

    Where norm and activation only rise the pool comes first, and they work on fewer values; what
    comes out of the folded layer is the same either way. With `grid` the weights stand on the grid
    of their bits. To fold the norm then is to scale that grid, channel by channel: nothing is lost.
    """

    def __init__(self, stage: PlacedLayer) -> None:
        super().__init__()
        outputs, rows, columns, channels = stage.weight_shape
        self.stage, self.grid = stage, False
        if stage.is_last:
            # The dense layer is a convolution whose window is the whole tensor.
            self.conv = nn.Conv2d(channels, outputs, (rows, columns))
            return
        groups = outputs if stage.kind == "depthwise" else 1
        self.conv = nn.Conv2d(
            channels * groups, outputs, rows, padding=rows // 2, groups=groups, bias=False
        )
        self.norm = RisingNorm(outputs)
        self.activation = Activation(stage)

    def current_weight(self) -> Tensor:
        """The weights as the layer uses them: on the grid that loses least, if on one."""
        weight = self.conv.weight
        if not self.grid:
            return weight
        largest = largest_weight(self.stage.layer.bits)
        with torch.no_grad():
            scale = fitting_scale(weight, largest)
        return on_grid(weight, scale, -largest, largest)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,C,H,W] to the layer's output, or to the logits [N,out]."""
        conv = self.conv
        tensor = nn.functional.conv2d(
            tensor, self.current_weight(), conv.bias, padding=conv.padding, groups=conv.groups
        )
        if self.stage.is_last:
            return tensor.flatten(1)
        if pools_first(self.stage):
            return self.activation(self.norm(pooled(tensor, self.stage)))
        return pooled(self.activation(self.norm(tensor)), self.stage)

    def folded(self) -> FloatLayer:
        """The layer with the batch norm's frozen statistics multiplied in, its range unknown."""
        weight = self.current_weight().detach()
        if self.stage.is_last:
            bias = self.conv.bias
            assert bias is not None
            return unranged(to_layout(weight), to_array(bias))
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.gain().detach() / torch.sqrt(variance + self.norm.eps)
        shifted = self.norm.bias.detach() - mean * gain
        return FloatLayer(
            to_layout(weight * gain[:, None, None, None]),
            to_array(shifted),
            0.0,
            1.0,
            to_array(self.norm.gain()),
            self.activation.learned_slope(),
        )


def on_grid(value: Tensor, scale: Tensor, low: int, high: int) -> Tensor:
    """Round to a grid on the way forward; the gradient passes where nothing was clamped.

    A scale that is learned gets the gradient that this formula gives it: the rounding error inside
    the grid, its end outside.
    """
    steps = (value / scale).clamp(low, high)
    return (steps + (steps.round() - steps).detach()) * scale


class Step(nn.Module):
    """How wide a grid's step is, learned as a factor: a scale is small, Adam's strides are not."""

    def __init__(self, first: Tensor) -> None:
        super().__init__()
        self.register_buffer("first", first.clamp_min(LEAST_SCALE))
        self.exponent = nn.Parameter(torch.zeros_like(first))

    def forward(self) -> Tensor:
        """The scale, in the shape it was given."""
        return self.get_buffer("first") * torch.exp(self.exponent)


class FoldedLayerModule(nn.Module):
    """One folded stage. A weight that is zero at first stays zero: it was pruned.

    With `grid` the weights stand on the grid of their bits and the output on its int8 grid, and how
    wide a step is of either is learned.
    """

    def __init__(self, stage: PlacedLayer, layer: FloatLayer, grid: bool) -> None:
        super().__init__()
        self.stage, self.grid = stage, grid
        self.weight = nn.Parameter(torch.from_numpy(layer.weight.transpose(0, 3, 1, 2).copy()))
        self.bias = nn.Parameter(torch.from_numpy(layer.bias.copy()))
        self.register_buffer("mask", (self.weight != 0).float())
        self.minimum, self.gamma = layer.minimum, layer.gamma
        if not stage.is_last:
            self.activation = Activation(stage, layer.slope or FIRST_SLOPE)
        if grid:
            self.largest = largest_weight(stage.layer.bits)
            self.weight_step = Step(fitting_scale(self.weight.detach(), self.largest))
            self.output_step = Step(torch.tensor((layer.maximum - layer.minimum) / STEPS))
        self.maximum = layer.maximum

    def current_weight(self) -> Tensor:
        """The weights as the layer uses them: masked, and on the grid if there is one."""
        weight = self.weight * self.get_buffer("mask")
        if not self.grid:
            return weight
        return on_grid(weight, self.effective_scale(weight), -self.largest, self.largest)

    def effective_scale(self, weight: Tensor) -> Tensor:
        """The learned step, never so wide that the largest weight falls short of the grid's end."""
        widest = weight.detach().abs().amax((1, 2, 3), keepdim=True) / self.largest
        return torch.minimum(self.weight_step(), widest).clamp_min(LEAST_SCALE)

    def forward(self, tensor: Tensor) -> Tensor:
        """[N,C,H,W] to the layer's output; the logits stay as they are."""
        weight = self.current_weight()
        if self.stage.is_last:
            return nn.functional.conv2d(tensor, weight, self.bias).flatten(1)
        groups = len(weight) if self.stage.kind == "depthwise" else 1
        border = self.stage.weight_shape[1] // 2
        tensor = nn.functional.conv2d(tensor, weight, self.bias, padding=border, groups=groups)
        if pools_first(self.stage):
            tensor = self.activation(pooled(tensor, self.stage))
        else:
            tensor = pooled(self.activation(tensor), self.stage)
        if self.grid:
            # Rounding never falls as its value grows, so it may follow the pool.
            steps = on_grid(tensor - self.minimum, self.output_step(), 0, STEPS)
            tensor = steps + self.minimum
        return tensor

    def learned(self) -> FloatLayer:
        """The layer as it now is; on a grid, its weights stand on it and its range follows it."""
        maximum = self.maximum
        if self.grid and not self.stage.is_last:
            maximum = self.minimum + STEPS * float(self.output_step().detach())
        with torch.no_grad():
            weight = to_layout(self.current_weight())
        slope = 0.0 if self.stage.is_last else self.activation.learned_slope()
        return FloatLayer(weight, to_array(self.bias), self.minimum, maximum, self.gamma, slope)


def fitting_scale(weight: Tensor, largest: int) -> Tensor:
    """The step a channel that loses least of the weights when they are rounded and clamped."""
    widest = weight.abs().amax((1, 2, 3), keepdim=True).clamp_min(LEAST_SCALE) / largest
    best, least = widest, torch.full_like(widest, float("inf"))
    for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        scale = widest * share
        lost = (on_grid(weight, scale, -largest, largest) - weight).pow(2)
        error = lost.sum((1, 2, 3), keepdim=True)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best.clone()


def unranged(weight: Floats, bias: Floats) -> FloatLayer:
    """A layer whose range is still to be calibrated."""
    return FloatLayer(weight, bias, 0.0, 1.0)


def to_array(tensor: Tensor) -> Floats:
    """A parameter as an array of its own."""
    return np.array(tensor.detach().numpy(), np.float32)


def to_layout(weight: Tensor) -> Floats:
    """PyTorch's [out,in,rows,columns] as [out,rows,columns,in]."""
    return np.array(weight.detach().permute(0, 2, 3, 1).numpy(), np.float32, order="C")


def float_model(network: Network) -> nn.Sequential:
    """The network with fresh weights."""
    return nn.Sequential(*(FloatLayerModule(stage) for stage in stages(network)))


def folded_model(network: Network, layers: tuple[FloatLayer, ...], grid: bool) -> nn.Sequential:
    """The network with the weights of a checkpoint."""
    pairs = zip(stages(network), layers, strict=True)
    return nn.Sequential(*(FoldedLayerModule(stage, layer, grid) for stage, layer in pairs))

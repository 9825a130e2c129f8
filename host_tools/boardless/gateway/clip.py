"""Clips made on the spot, with what happens in them: for the demo, and to measure by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from boardless.gateway.blob import HEIGHT, LEARNING_FRAMES, WIDTH, Picture
from boardless.gateway.event import EventKind

RATE = 30
_EMPTY_S = 0.6


@dataclass(frozen=True)
class Scene:
    """The stated range: sizes in pixels of a picture of 160×120, speed in pixels a frame."""

    size: tuple[float, float] = (20, 48)
    speed: tuple[float, float] = (1.6, 4.0)
    noise: tuple[float, float] = (0.0, 6.0)
    light: tuple[float, float] = (0.7, 1.3)
    contrast: tuple[float, float] = (35, 90)
    shake: float = 0.0
    ramp: float = 0.0  # share of brightness gained over the clip
    objects: int = 1
    in_view: bool = False
    moving_background: bool = False


@dataclass(frozen=True)
class Label:
    """What happens, and in which frame it begins."""

    kind: EventKind
    frame: int


@dataclass
class _Script:
    """Positions frame by frame, and the labels on the way."""

    x: list[float] = field(default_factory=list)
    lift: list[float] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def go(self, speeds: NDArray[np.float64], lifts: NDArray[np.float64] | None = None) -> None:
        lifted = np.zeros(len(speeds)) if lifts is None else lifts
        for speed, lift in zip(speeds.tolist(), lifted.tolist(), strict=True):
            self.x.append(self.x[-1] + speed)
            self.lift.append(lift)

    def label(self, kind: EventKind) -> None:
        self.labels.append(Label(kind, len(self.x)))


@dataclass(frozen=True)
class Clip:
    """Pictures and labels."""

    pictures: tuple[Picture, ...]
    labels: tuple[Label, ...]

    def frames(self) -> Iterator[tuple[float, Picture]]:
        """With their times in seconds."""
        for number, picture in enumerate(self.pictures):
            yield number / RATE, picture


def make_clip(seed: int, scene: Scene = Scene()) -> Clip:
    """A clip of one object that comes in, does two to four things, and goes out."""
    chance = np.random.default_rng(seed)
    width = chance.uniform(*scene.size) * chance.uniform(0.5, 0.9)
    height = min(chance.uniform(*scene.size), 55.0)
    script = _script(chance, width, height, scene)
    background = _texture(chance, (HEIGHT + 16, WIDTH + 16), 110, 28)
    shape = _object(chance, width, height, background, scene)
    ground = chance.uniform(0.75, 0.95) * HEIGHT
    others = [_other(chance, len(script.x)) for _ in range(scene.objects - 1)]
    pictures = tuple(
        _picture(chance, number, script, background, shape, ground, scene, others)
        for number in range(len(script.x))
    )
    return Clip(_noisy(chance, pictures, scene), tuple(script.labels))


def _script(chance: np.random.Generator, width: float, height: float, scene: Scene) -> _Script:
    way = int(chance.choice([-1, 1]))
    speed = chance.uniform(*scene.speed)
    outside = -width / 2 - 2 if way > 0 else WIDTH + width / 2 + 2
    script = _Script(x=[WIDTH * 0.3 if scene.in_view else outside], lift=[0.0])
    script.go(np.zeros(LEARNING_FRAMES + int(_EMPTY_S * RATE)))
    if not scene.in_view:
        script.labels.append(Label(EventKind.ENTER, len(script.x) + int(width / 4 / speed)))
    inside = (width + 14) / speed
    script.go(np.full(int(inside), way * speed))
    for _ in range(int(chance.integers(2, 5))):
        way = _act(chance, script, way, speed, width, height)
    left = WIDTH + width / 2 + 3 - script.x[-1] if way > 0 else script.x[-1] + width / 2 + 3
    frames = max(int(left / speed) + 1, 1)
    script.go(np.full(frames, way * speed))
    script.label(EventKind.LEAVE)
    script.go(np.zeros(int(_EMPTY_S * RATE)))
    return script


def _room(x: float, way: int, speed: float, width: float) -> float:
    """How far it may go until a turn would no longer be seen whole."""
    margin = width / 2 + 6 + 6 * speed
    return (WIDTH - margin - x) if way > 0 else x - margin


def _act(
    chance: np.random.Generator,
    script: _Script,
    way: int,
    speed: float,
    width: float,
    height: float,
) -> int:
    """One thing that it does, then some way on; which way it goes then."""
    room = _room(script.x[-1], way, speed, width)
    kinds = ["still", "turn"] + (["jump"] if room > 20 * speed else [])
    kind = str(chance.choice(kinds)) if room > 5 * speed else "turn"
    if kind == "jump":
        frames = int(chance.integers(12, 19))
        phase = np.arange(1, frames + 1) / frames
        script.label(EventKind.JUMP)
        rise = chance.uniform(0.45, 0.7) * height
        script.go(np.full(frames, way * speed), 4 * rise * phase * (1 - phase))
    elif kind == "turn":
        frames = int(chance.integers(8, 15))
        script.labels.append(Label(EventKind.TURN, len(script.x) + frames // 2))
        script.go(way * speed * np.cos(np.pi * np.arange(1, frames + 1) / frames))
        way = -way
    else:
        script.label(EventKind.STILL)
        script.go(np.zeros(int(chance.uniform(0.8, 1.6) * RATE)))
    room = _room(script.x[-1], way, speed, width)
    script.go(np.full(max(int(min(chance.uniform(10, 25), room / speed)), 0), way * speed))
    return way


def _texture(
    chance: np.random.Generator, shape: tuple[int, int], mean: float, spread: float
) -> NDArray[np.float64]:
    """Patches of grey of several sizes."""
    found = np.full(shape, float(mean))
    for cell in (4, 12, 30):
        rows, columns = -(-shape[0] // cell), -(-shape[1] // cell)
        patch = chance.normal(0, spread / 2, (rows, columns))
        found += np.kron(patch, np.ones((cell, cell)))[: shape[0], : shape[1]]
    return np.asarray(np.clip(found, 20, 200), np.float64)


def _object(
    chance: np.random.Generator,
    width: float,
    height: float,
    background: NDArray[np.float64],
    scene: Scene,
) -> NDArray[np.float64]:
    """A textured patch, darker or brighter than what is behind it."""
    contrast = chance.uniform(*scene.contrast) * chance.choice([-1, 1])
    mean = float(np.clip(background.mean() + contrast, 10, 245))
    return _texture(chance, (max(int(height), 4), max(int(width), 4)), mean, 14)


def _other(chance: np.random.Generator, frames: int) -> tuple[NDArray[np.float64], float]:
    """A second thing that crosses the picture on its own."""
    positions = np.linspace(-10, WIDTH + 10, frames) + chance.uniform(-30, 30)
    return positions, float(chance.uniform(0.3, 0.6) * HEIGHT)


def _picture(
    chance: np.random.Generator,
    number: int,
    script: _Script,
    background: NDArray[np.float64],
    shape: NDArray[np.float64],
    ground: float,
    scene: Scene,
    others: list[tuple[NDArray[np.float64], float]],
) -> NDArray[np.float64]:
    dx, dy = (chance.uniform(-scene.shake, scene.shake, 2) + 8).round().astype(int)
    behind = np.roll(background, 2 * number, axis=1) if scene.moving_background else background
    frame = behind[dy : dy + HEIGHT, dx : dx + WIDTH].copy()
    _paste(frame, shape, script.x[number], ground - script.lift[number])
    for positions, row in others:
        _paste(frame, np.full((18, 12), 235.0), float(positions[number]), row)
    return frame * (1 + scene.ramp * number / len(script.x))


def _paste(frame: NDArray[np.float64], shape: NDArray[np.float64], x: float, bottom: float) -> None:
    """The patch centred on x, standing on `bottom`, to the nearest pixel."""
    rows, columns = shape.shape
    left, top = round(x - columns / 2), round(bottom - rows)
    first, last = max(left, 0), min(left + columns, WIDTH)
    upper, lower = max(top, 0), min(top + rows, HEIGHT)
    if first < last and upper < lower:
        frame[upper:lower, first:last] = shape[
            upper - top : lower - top, first - left : last - left
        ]


def _noisy(
    chance: np.random.Generator, pictures: tuple[NDArray[np.float64], ...], scene: Scene
) -> tuple[Picture, ...]:
    noise, light = chance.uniform(*scene.noise), chance.uniform(*scene.light)
    return tuple(
        np.clip(each * light + chance.normal(0, noise, each.shape), 0, 255).astype(np.uint8)
        for each in pictures
    )

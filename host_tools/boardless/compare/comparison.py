"""The same firmware and frames on several engines: what each said, and the first difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from boardless.compare.transcript import Excuse, Transcript, differing_check, excuses, transcript_of
from boardless.project.project import REFERENCE_PROJECT, Project
from boardless.running.classify import classify
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.contract import Contract
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.engines.engine import Capability, Engine, StopReason, UartLine
from boardless_sim.engines.mailbox.box import mailbox_of
from boardless_sim.errors import EngineError, FrameError, ResultError
from boardless_sim.timing_basis import TimingBasis

_LAYER = r" layer=(\d+) bytes=(\d+) crc32=([0-9a-f]{8})"
_DUMP = r" layer=(\d+) offset=(\d+) ([0-9a-f]+)"
_SELFTEST_LIMIT_US = 30e6


@dataclass(frozen=True)
class LayerOutput:
    """A layer's output: its size and CRC-32."""

    index: int
    size_bytes: int
    crc32: str


@dataclass(frozen=True)
class Answer:
    """What an engine said about one frame.

    `instructions`: of the network alone (`Symbols.infer`), so that no wait for the UART or for a
    frame is among them; None where the firmware has no such function.
    """

    name: str
    class_index: int | None
    score: float | None
    said: str  # the whole answer, without times
    layers: tuple[LayerOutput, ...]
    instructions: int | None = None

    @property
    def said_values(self) -> str:
        """The answer of a network without classes."""
        return self.said if self.class_index is None else ""


@dataclass(frozen=True)
class Opinion:
    """Everything that one engine said. `detail` says why it has no answer for every frame."""

    engine: str
    timing_basis: TimingBasis
    answers: tuple[Answer, ...]
    detail: str = ""
    transcript: Transcript | None = None


@dataclass(frozen=True)
class Difference:
    """Where two engines disagree first, and what each says."""

    where: str
    first: tuple[str, str]
    second: tuple[str, str]

    def __str__(self) -> str:
        said = ", ".join(f"{engine} {value}" for engine, value in (self.first, self.second))
        return f"{self.where}: {said}"


@dataclass(frozen=True)
class Comparison:
    """Every opinion; the first engine is what the others are held against.

    `counted`: the function whose instructions are counted, where an engine counts them.
    """

    opinions: tuple[Opinion, ...]
    difference: Difference | None
    excuses: tuple[Excuse, ...]
    selftest: Path | None
    gone: tuple[Excuse, ...] = ()  # known differences that did not appear
    counted: str = ""

    @property
    def frames(self) -> int:
        """Frames that every engine answered."""
        return min(len(opinion.answers) for opinion in self.opinions)


def setups_of(
    elf: Path, engines: str, project: Project = REFERENCE_PROJECT, bounds: Bounds = DEFAULT
) -> list[BoardSetup]:
    """A setup an engine of a list such as `native,qemu`. Raises `EngineError`."""
    names = [name.strip() for name in engines.split(",") if name.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise EngineError(f"engines {engines!r}, expected two or more, each once")
    first = BoardSetup(
        elf, contract=project.contract, bounds=bounds, board=project.board, image=project.image
    )
    return [replace(first, engine=name) for name in names]


def compare(
    setups: Sequence[BoardSetup],
    frames: Sequence[Frame],
    limit_us: float,
    selftest: Path | None = None,
) -> Comparison:
    """Ask every engine. Raises `EngineError` where one is missing or cannot show it frames.

    Only a firmware with a mailbox can be asked for its layers; of one with a camera, class and
    score are held. Each ELF that the setups name is read once, as the self-test is.
    """
    if not frames:
        raise FrameError("no frames, expected at least one")
    images = {setup.elf: setup.load() for setup in {setup.elf: setup for setup in setups}.values()}
    program = None if selftest is None else load_image(selftest)
    opinions = tuple(
        _opinion(setup, images[setup.elf], frames, limit_us, program) for setup in setups
    )
    if not any(opinion.answers for opinion in opinions):
        raise ResultError(f"no engine gave a result, expected one a frame: {opinions[0].detail}")
    excused, gone = _excuses(opinions)
    found = first_difference(opinions, excused)
    difference = None
    if found is not None:
        difference, at = found
        if at is not None:
            difference = _with_index(difference, at, setups, images, frames, limit_us)
    infer = setups[0].contract.symbols.infer
    return Comparison(opinions, difference, excused, selftest, gone, infer)


def _excuses(opinions: Sequence[Opinion]) -> tuple[tuple[Excuse, ...], tuple[Excuse, ...]]:
    found: list[Excuse] = []
    gone: list[Excuse] = []
    for opinion in opinions:
        if opinion.transcript is not None:
            others = [other.transcript for other in opinions if other is not opinion]
            there = [transcript for transcript in others if transcript is not None]
            for every, some in zip(
                (found, gone), excuses(opinion.engine, opinion.transcript, there), strict=True
            ):
                every += some
    return tuple(found), tuple(gone)


_LayerAt = tuple[int, int, tuple[int, int]]


def first_difference(
    opinions: Sequence[Opinion], excused: Iterable[Excuse] = ()
) -> tuple[Difference, _LayerAt | None] | None:
    """The earliest difference from the first engine, and which layer's output it is in."""
    reference = opinions[0]
    found: list[tuple[int, Difference, _LayerAt | None]] = []
    for position, other in enumerate(opinions[1:], 1):
        for number, where, layer, values in _differences(reference, other):
            sides = (reference.engine, values[0]), (other.engine, values[1])
            at = None if layer is None else (number, layer, (0, position))
            found.append((number, Difference(where, *sides), at))
            break
    if found:
        _, difference, at = min(found, key=lambda entry: entry[0])
        return difference, at
    names = list(excused)
    for other in opinions[1:]:
        if reference.transcript is None or other.transcript is None:
            continue
        both = {reference.engine, other.engine}
        skipped = frozenset(excuse.check for excuse in names if excuse.engine in both)
        check = differing_check(reference.transcript, other.transcript, skipped)
        if check is not None:
            name, first, second = check
            sides = (reference.engine, first), (other.engine, second)
            return Difference(f"self-test, check {name}", *sides), None
    return None


def _differences(
    reference: Opinion, other: Opinion
) -> Iterator[tuple[int, str, int | None, tuple[str, str]]]:
    for number, (one, two) in enumerate(zip(reference.answers, other.answers, strict=False)):
        where = f"frame {number} ({one.name})"
        for first, second in zip(one.layers, two.layers, strict=False):
            if first != second:
                values = (f"crc32 {first.crc32}", f"crc32 {second.crc32}")
                yield number, f"{where}, layer {first.index}", first.index, values
        counts = len(one.layers), len(two.layers)
        for what, first_value, second_value in (
            ("number of layers", *counts),
            ("class", one.class_index, two.class_index),
            ("score", one.score, two.score),
            ("values", one.said_values, two.said_values),
        ):
            if first_value != second_value:
                yield number, f"{where}, {what}", None, (str(first_value), str(second_value))
    counts = len(reference.answers), len(other.answers)
    if counts[0] != counts[1]:
        values = reference.detail or "a result", other.detail or "a result"
        yield min(counts), f"frame {min(counts)}, result", None, values


def _opinion(
    setup: BoardSetup,
    image: FirmwareImage,
    frames: Sequence[Frame],
    limit_us: float,
    selftest: FirmwareImage | None,
) -> Opinion:
    opinion = _answers(setup, image, frames, limit_us)
    if mailbox_of(image, setup.contract) is not None and opinion.answers:
        answered = frames[: len(opinion.answers)]
        layered = _answers(setup, image, answered, limit_us, print_layers=True)
        opinion = _with_layers(opinion, layered)
    if selftest is None:
        return opinion
    own = BoardSetup(selftest.path, engine=setup.engine, bounds=setup.bounds)  # it is ours
    transcript = transcript_of(own, selftest, _SELFTEST_LIMIT_US)
    return replace(opinion, transcript=transcript)


def _with_layers(plain: Opinion, layered: Opinion) -> Opinion:
    """Printing the layers takes time, and must change nothing else."""
    answers = []
    for number, (one, two) in enumerate(zip(layered.answers, plain.answers, strict=False)):
        if one.said != two.said:
            raise ResultError(
                f"engine {plain.engine}: frame {number}: {one.said!r} with the layers printed, "
                f"{two.said!r} without, expected the same"
            )
        answers.append(replace(two, layers=one.layers))
    return replace(plain, answers=tuple(answers), detail=plain.detail or layered.detail)


def _answers(
    setup: BoardSetup,
    image: FirmwareImage,
    frames: Sequence[Frame],
    limit_us: float,
    *,
    print_layers: bool = False,
) -> Opinion:
    with closing(setup.power_on(image)) as engine:
        if print_layers:
            engine.ask_for_layers(print_all=True)
        counts_calls = not print_layers and _count_calls(engine)
        report = classify(engine, frames, limit_us)
        if report.stop_reason.is_bound:
            raise ResultError(f"engine {engine.name}: no verdict: {report.detail}")
        layers = layers_by_frame(engine.uart_lines(), setup.contract)
        counts = engine.call_counts() if counts_calls else []
        answers = tuple(
            Answer(
                result.name,
                result.class_index,
                result.score,
                result.normalised_line,
                layers[result.frame],
                counts[result.frame] if result.frame < len(counts) else None,
            )
            for result in report.results
        )
        return Opinion(engine.name, engine.timing_basis, answers, report.detail)


def layers_by_frame(lines: Iterable[UartLine], contract: Contract) -> list[tuple[LayerOutput, ...]]:
    """The layers before each result line."""
    pattern = re.compile(re.escape(contract.layer_prefix) + _LAYER)
    frames: list[tuple[LayerOutput, ...]] = []
    layers: list[LayerOutput] = []
    for line in lines:
        match = pattern.fullmatch(line.text)
        if match is not None:
            layers.append(LayerOutput(int(match[1]), int(match[2]), match[3]))
        elif contract.is_result(line.port, line.text):
            frames.append(tuple(layers))
            layers = []
    return frames


def _count_calls(engine: Engine) -> bool:
    """Whether the calls of what infers are counted."""
    function = engine.contract.symbols.infer
    if function not in engine.image.symbols or Capability.CALL_COUNTS not in engine.capabilities:
        return False
    engine.count_calls(function)
    return True


def _with_index(
    difference: Difference,
    at: _LayerAt,
    setups: Sequence[BoardSetup],
    images: Mapping[Path, FirmwareImage],
    frames: Sequence[Frame],
    limit_us: float,
) -> Difference:
    """The first element of the layer's output that differs; the same where a new run shows none."""
    number, layer, engines = at
    one, two = (
        _output(setups[engine], images[setups[engine].elf], frames[number], layer, limit_us)
        for engine in engines
    )
    for index, (first, second) in enumerate(zip(one, two, strict=False)):
        if first != second:
            return Difference(
                f"{difference.where}, index {index}",
                (difference.first[0], str(first)),
                (difference.second[0], str(second)),
            )
    return difference


def _output(
    setup: BoardSetup, image: FirmwareImage, frame: Frame, layer: int, limit_us: float
) -> list[int]:
    contract = setup.contract
    pattern = re.compile(re.escape(contract.dump_prefix) + _DUMP)
    with closing(setup.power_on(image)) as engine:
        engine.ask_for_layers(dump=layer)
        engine.show(frame)
        reason = engine.run(limit_us, lambda line: contract.is_result(line.port, line.text))
        if reason is not StopReason.RESULT:
            return []
        data = b"".join(
            bytes.fromhex(match[3])
            for line in engine.uart_lines()
            if (match := pattern.fullmatch(line.text)) is not None
        )
        return [value - 256 if value > 127 else value for value in data]

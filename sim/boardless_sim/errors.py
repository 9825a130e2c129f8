"""Everything that stops a run before it can give a verdict.

BoardlessError            a run could not be made (exit 2)
├── ImageError            the ELF is missing, damaged, or not for this board
├── FrameError            a picture cannot become a camera frame
├── FaultError            a fault to be injected cannot be, or cannot apply there
├── LabelError            the labels do not match the frames
├── ConfigError           boardless.toml says something that is not understood
├── ModelError            the model, its data set or its artifact is not usable
├── EngineError           the engine is missing, or cannot go on
│   ├── BoardError        the board description contradicts itself
│   ├── EngineMissing     the engine is not installed on this machine
│   └── StrictError       strict mode: the firmware used something that is not modelled
├── ResultError           the firmware's output is not what the result pattern says
└── AnalyserError         our own measurement is proven wrong (exit 3)

A check that fails is no error: it is a verdict (exit 1).
"""

from __future__ import annotations


class BoardlessError(Exception):
    """The run could not be made. The message is one line: what, found, expected."""


class ImageError(BoardlessError):
    """The ELF is missing, damaged, or not for this board."""


class FrameError(BoardlessError):
    """A picture cannot become a camera frame."""


class FaultError(BoardlessError):
    """A fault to be injected cannot be, or cannot apply there."""


class LabelError(BoardlessError):
    """The labels do not match the frames."""


class ConfigError(BoardlessError):
    """`boardless.toml` says something that is not understood."""


class ModelError(BoardlessError):
    """The model, its data set or its artifact is not usable."""


class EngineError(BoardlessError):
    """The engine is missing, or cannot go on."""


class BoardError(EngineError):
    """The board description contradicts itself."""


class EngineMissing(EngineError):
    """The engine is not installed on this machine."""


class StrictError(EngineError):
    """Strict mode: the firmware used something that is not modelled."""


class ResultError(BoardlessError):
    """The firmware's output is not what the result pattern says."""


class AnalyserError(BoardlessError):
    """Our own measurement is proven wrong: nothing that it says may be believed (exit 3)."""

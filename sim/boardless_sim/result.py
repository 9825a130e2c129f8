"""The firmware's line for one frame, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from boardless_sim.errors import ResultError

_FIELD = re.compile(r"([a-z][a-z0-9_]*)=(-?\d{1,18})(?![\d.])")
_REAL = r"-?\d{1,10}\.\d{6}"
_NO_CLASS = re.compile(
    rf" (?:(?:error|values)=(?P<reals>{_REAL}(?:,{_REAL}){{0,7}})|outputs=\d+ crc32=[0-9a-f]{{8}})"
    r"(?= |$)",
    re.ASCII,
)
_STAGE = re.compile(r"([a-z][a-z0-9]*(?:_[a-z0-9]+)*)_(us|ms)", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_US = {"us": 1, "ms": 1000}


@dataclass(frozen=True)
class InferenceResult:
    """What one result line says. `times_us`: how long each stage took that it names.

    `frame` is None where the firmware does not number its frames, `score` where it gives none.
    `class_index` is None where the network tells no classes apart: `values` are then its outputs,
    as many as the line has room for, or the one error of an autoencoder.
    """

    frame: int | None
    class_index: int | None
    score: float | None
    times_us: Mapping[str, float]
    line: str
    values: tuple[float, ...] = ()


def is_result(line: str) -> bool:
    """Whether a UART line carries a result (prefix `r-`)."""
    return line.startswith("r-")


def parse_result(line: str) -> InferenceResult:
    """Read `r- frame=12 class=7 score=93 capture_us=… total_us=…`, or its kin without a class.

    Those have `error=1.25`, `values=0.5,-1.25` or `outputs=640 crc32=89abcdef`. Raises
    `ResultError`.
    """
    fields = {key: int(value) for key, value in _FIELD.findall(line)}
    other = _NO_CLASS.search(line)
    wanted = ("frame", "class", "score") if other is None else ("frame",)
    missing = [key for key in wanted if key not in fields]
    if not is_result(line) or missing:
        raise ResultError(
            f"UART: found {line[:100]!r}, expected 'r- frame=N class=N score=N …'"
            + (f" (missing: {', '.join(missing)})" if missing else "")
        )
    times_us = {key[:-3]: value for key, value in fields.items() if key.endswith("_us")}
    if other is None:
        return InferenceResult(fields["frame"], fields["class"], fields["score"], times_us, line)
    values = tuple(float(value) for value in (other["reals"] or "").split(",") if value)
    return InferenceResult(fields["frame"], None, None, times_us, line, values)


@dataclass(frozen=True)
class ResultPattern:
    """A firmware's own result: a regular expression a line, with a group for each field.

    The line of the last expression ends a result; those of the others come before it. `class` must
    be in one of them; `score`, `frame` and the times `<stage>_us` and `<stage>_ms` may.
    """

    expressions: tuple[re.Pattern[str], ...]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> ResultPattern:
        """Raises `ValueError`, which says what was expected."""
        expressions = tuple(map(_compiled, texts))
        names = [name for expression in expressions for name in expression.groupindex]
        if "class" not in names:
            raise ValueError("a group (?P<class>…)")
        for name in names:
            if name not in ("class", "score", "frame") and not _STAGE.fullmatch(name):
                raise ValueError(f"group class, score, frame, <stage>_us or <stage>_ms, not {name}")
            if names.count(name) > 1:
                raise ValueError(f"each group once, not {name} in two lines")
        return cls(expressions)

    def is_result(self, line: str) -> bool:
        """Whether a line ends a result: the last expression stands somewhere in it."""
        return self.expressions[-1].search(line) is not None

    def parse(
        self, line: str, classes: Sequence[str], before: Sequence[str] = ()
    ) -> InferenceResult:
        """Read a result that ends with a line. `classes` name the numbers from 0 on.

        `before`: the lines since the result before, in which the other expressions are looked for.
        """
        fields: dict[str, str] = {}
        for expression in self.expressions:
            match = _last_match(
                expression, [line] if expression is self.expressions[-1] else before
            )
            if match is None:
                found = f"{line[:100]!r} after {len(before)} other lines"
                raise ResultError(f"UART: found {found}, expected {expression.pattern!r}")
            fields |= {name: text for name, text in match.groupdict().items() if text is not None}
        times_us: dict[str, float] = {}
        for name, text in fields.items():
            stage = _STAGE.fullmatch(name)
            if stage is not None:
                times_us[stage[1]] = _number(line, name, text) * _US[stage[2]]
        return InferenceResult(
            frame=_whole(line, "frame", fields["frame"]) if "frame" in fields else None,
            class_index=_class(line, fields.get("class", ""), classes),
            score=_number(line, "score", fields["score"]) if "score" in fields else None,
            times_us=times_us,
            line=line,
        )


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"a regular expression ({error})") from error


def _last_match(expression: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    found = (expression.search(line) for line in reversed(lines))
    return next((match for match in found if match is not None), None)


def _class(line: str, text: str, classes: Sequence[str]) -> int:
    if text in classes:
        return classes.index(text)
    if not _WHOLE.fullmatch(text):
        names = f" or one of {', '.join(classes)}" if classes else ", or [classes] names"
        raise ResultError(f"UART: class {text!r} in {line[:100]!r}, expected a number{names}")
    return int(text)


def _whole(line: str, field: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ResultError(f"UART: {field} {text!r} in {line[:100]!r}, expected a whole number")
    return int(text)


def _number(line: str, field: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ResultError(f"UART: {field} {text!r} in {line[:100]!r}, expected a number")
    return float(text) if "." in text else int(text)

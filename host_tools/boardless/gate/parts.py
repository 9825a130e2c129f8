"""What the commands wrote of one firmware, as parts of one account: pure, no file is read here.

The documents of `budget` and `run`, JUnit of any suite, a tracefile of lcov's. A part that says
nothing passes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from boardless_sim.errors import ConfigError

_MOST_PROBLEMS = 20
_TOTALS = ("LF", "LH", "FNF", "FNH", "BRF", "BRH")  # geninfo(1): found and hit


@dataclass(frozen=True)
class Figure:
    """One number of a part, with what it may be at most and what it was before."""

    name: str
    value: float | None
    unit: str = "B"
    most: float | None = None
    before: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Account:
    """One command's account. `is_ok` None: it only informs."""

    name: str
    line: str
    is_ok: bool | None
    figures: tuple[Figure, ...] = ()
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Its fields; what `--base` reads of an earlier account are the figures."""
        return {
            "name": self.name,
            "line": self.line,
            "ok": self.is_ok,
            "figures": {
                figure.name: {"value": figure.value, "unit": figure.unit, "max": figure.most}
                for figure in self.figures
            },
            "problems": list(self.problems),
        }


def budget_parts(document: Mapping[str, object], where: str) -> Iterator[Account]:
    """A part an ELF: its regions, its sizes, its stack."""
    targets = document.get("targets")
    if isinstance(targets, Mapping):
        for name, each in targets.items():
            yield _budget(f"{name}", _table(each, where), where)
        return
    yield _budget(_text(document.get("image")).rpartition("/")[2], document, where)


def _budget(name: str, document: Mapping[str, object], where: str) -> Account:
    verdict = document.get("verdict")
    if verdict not in ("pass", "fail"):
        raise ConfigError(f"{where}: no verdict, expected what `boardless budget --json` writes")
    rows = [(kind, _rows(document.get(key))) for kind, key in _KINDS]
    figures = [
        Figure(
            f"{kind}{row}",
            _number(found.get("bytes")),
            most=_number(found.get("max")),
            remark=_text(found.get("grade")),
        )
        for kind, table in rows
        for row, found in table
    ]
    problems = [
        f"{kind}{row}: {_text(found.get('reason')) or _over(found)}"
        + (f" (owner: {owner})" if (owner := _text(found.get("owner"))) else "")
        for kind, table in rows
        for row, found in table
        if found.get("ok") is False
    ]
    judged = [figure for figure in figures if figure.most is not None]
    line = f"{len(problems)} broken" if verdict == "fail" else f"{len(judged)} budgets kept"
    return Account(
        f"size and stack of {name}", line, verdict == "pass", tuple(figures), _few(problems)
    )


_KINDS = (
    ("", "regions"),
    ("", "sizes"),
    ("stack ", "stack"),
    ("growth of ", "growth"),
    ("waiver of ", "waivers"),
)


def run_parts(document: Mapping[str, object], where: str) -> Iterator[Account]:
    """Accuracy, latency, and the board checks, which fail by themselves."""
    results, checks = document.get("results"), document.get("board_checks")
    if not isinstance(results, list) or not isinstance(checks, list):
        raise ConfigError(f"{where}: no results, expected what `boardless run --json` writes")
    stop, timing = _text(document.get("stop_reason")), _table(document.get("timing"), where)
    has_results = bool(results) and document.get("post_mortem") is None
    accuracy = _number(document.get("accuracy"))
    yield Account(
        "accuracy",
        f"{len(results)} frames" if has_results else f"no result: {stop}",
        None if has_results else False,
        (Figure("right", None if accuracy is None else 100 * accuracy, "%"),),
        () if has_results else _few([_text(document.get("detail")) or stop]),
    )
    basis = _text(timing.get("basis"))
    names = (("mean", "mean_us"), ("95 %", "p95_us"))
    times = [
        Figure(name, None if (time := _number(timing.get(key))) is None else time / 1000, "ms")
        for name, key in names
    ]
    rate = Figure("frame rate", _number(timing.get("frames_per_second")), "/s")
    yield Account("latency", f"basis: {basis}", None, (*times, rate))
    rows = [_table(row, where) for row in checks]
    failed = [row for row in rows if row.get("grade") == "error" and not row.get("waived")]
    told = [f"{_text(row.get('check'))}: {_text(row.get('text'))}" for row in failed]
    others = len(rows) - len(failed)
    line = f"{len(failed)} failed, {others} more told" if rows else "nothing found"
    yield Account("board checks", line, not failed and has_results, (), _few(told))


def suite_part(text: str, where: str) -> Account:
    """The cases of a JUnit file. Raises `ConfigError` where it is none."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ConfigError(f"{where}: declares a document type, expected plain JUnit XML")
    try:
        cases = list(ElementTree.fromstring(text).iter("testcase"))
    except ElementTree.ParseError as cause:
        raise ConfigError(f"{where}: {cause}, expected JUnit XML") from cause
    bad = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    line = f"{len(cases)} cases, {len(bad)} failed, {skipped} skipped"
    told = [f"{case.get('classname', '')}.{case.get('name', '')}".lstrip(".") for case in bad]
    is_ok = not bad and len(cases) > skipped  # no case, no pass
    return Account(f"suite {where.rpartition('/')[2]}", line, is_ok, (), _few(told))


def coverage_part(text: str, where: str) -> Account:
    """The sums of an lcov tracefile. Raises `ConfigError` where it has none."""
    sums = dict.fromkeys(_TOTALS, 0)
    for line in text.splitlines():
        key, colon, number = line.partition(":")
        if colon and key in sums and number.isascii() and number.isdigit() and len(number) < 12:
            sums[key] += int(number)
    if not sums["LF"]:
        raise ConfigError(f"{where}: no line was counted, expected a tracefile of lcov's")
    kinds = (("lines", "L"), ("functions", "FN"), ("branches", "BR"))
    figures = [
        Figure(name, 100 * sums[f"{key}H"] / sums[f"{key}F"], "%")
        for name, key in kinds
        if sums[f"{key}F"]
    ]
    return Account("coverage", f"{sums['LH']:,} of {sums['LF']:,} lines", None, tuple(figures))


def against(
    parts: Sequence[Account], base: Mapping[str, object], where: str
) -> tuple[Account, ...]:
    """The parts with what their figures were in an earlier account."""
    earlier = base.get("parts")
    if not isinstance(earlier, list):
        raise ConfigError(f"{where}: no parts, expected what `boardless report --json` writes")
    before: dict[tuple[str, str], float | None] = {}
    for entry in earlier:
        part = _table(entry, where)
        for name, figure in _rows(part.get("figures")):
            before[_text(part.get("name")), name] = _number(figure.get("value"))
    return tuple(
        replace(
            part,
            figures=tuple(
                replace(figure, before=before.get((part.name, figure.name)))
                for figure in part.figures
            ),
        )
        for part in parts
    )


def _rows(value: object) -> list[tuple[str, Mapping[str, object]]]:
    """Rows by name, or each with its name."""
    if isinstance(value, Mapping):
        return [(str(name), row) for name, row in value.items() if isinstance(row, Mapping)]
    rows = value if isinstance(value, list) else []
    return [(_text(row.get("name")), row) for row in rows if isinstance(row, Mapping)]


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {str(value)[:40]!r}, expected a table")
    return value


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _over(row: Mapping[str, object]) -> str:
    found, most = _number(row.get("bytes")), _number(row.get("max"))
    return "broken" if found is None or most is None else f"over by {found - most:,.0f}"


def _few(problems: Sequence[str]) -> tuple[str, ...]:
    more = len(problems) - _MOST_PROBLEMS
    return (*problems[:_MOST_PROBLEMS], *((f"and {more} more",) if more > 0 else ()))

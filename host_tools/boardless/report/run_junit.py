"""A run as JUnit XML: a case for every board check, and one for its results."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from boardless.running.board_checks import NOT_CHECKED, BoardCheck
from boardless_sim.finding import Check
from boardless_sim.visible import visible

_CLASS = "board checks"


def run_junit(
    checks: Sequence[BoardCheck], checked: frozenset[Check], failures: Sequence[str]
) -> str:
    """`failures`: everything that fails the run, the checks' own among them."""
    suite = ElementTree.Element("testsuite", name="boardless run")
    own = {str(check) for check in checks}
    _case(suite, "run", "results", [failure for failure in failures if failure not in own])
    _checks(suite, checks, checked)
    cases = suite.findall("testcase")
    for kind, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(kind, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("errors", "0")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, "unicode")


def _checks(
    suite: ElementTree.Element, checks: Sequence[BoardCheck], checked: frozenset[Check]
) -> None:
    """A case for each kind: failed, with what was printed, or skipped where nothing looked."""
    for kind in Check:
        rows = [check for check in checks if check.check == kind.value]
        case = _case(suite, _CLASS, kind.value, [str(row) for row in rows if row.fails])
        said = [str(row) for row in rows if not row.fails]
        if kind not in checked and not rows:
            ElementTree.SubElement(case, "skipped", message=NOT_CHECKED)
        elif said:
            ElementTree.SubElement(case, "system-out").text = visible("; ".join(said))


def _case(
    suite: ElementTree.Element, kind: str, name: str, failures: Sequence[str]
) -> ElementTree.Element:
    case = ElementTree.SubElement(suite, "testcase", classname=kind, name=name)
    if failures:
        ElementTree.SubElement(case, "failure", message=visible("; ".join(failures)))
    return case

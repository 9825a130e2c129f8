"""JUnit XML: one case a judged figure."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from boardless.gate.verdict import Verdict


def junit(verdict: Verdict) -> str:
    """The whole document. No budget at all is a failure, not an empty suite."""
    cases = [row for row in verdict.rows if row.max_bytes is not None or not row.ok]
    suite = Element("testsuite", name="budget", errors="0", skipped="0")
    for row in cases:
        case = SubElement(suite, "testcase", classname=f"budget.{row.kind}", name=xml(row.name))
        if not row.ok:
            SubElement(case, "failure", message=xml(row.account()))
    if not verdict.judged:
        case = SubElement(suite, "testcase", classname="budget", name="budgets")
        SubElement(case, "failure", message=xml(verdict.line))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(1 for _ in suite.iter("failure"))))
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, "unicode") + "\n"


def xml(text: str) -> str:
    """Only what XML 1.0 may hold."""
    return "".join(char if char.isprintable() and char < "\ufffe" else "?" for char in text)

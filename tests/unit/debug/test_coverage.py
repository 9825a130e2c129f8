from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from boardless.debug.coverage import BranchCoverage, FileCoverage, merge
from boardless.report.execution.coverage import cobertura, lcov
from boardless.report.execution.coverage_html import pages

REACHED, BOTH, NEVER = (
    BranchCoverage(ran=True, fell_through=True, taken=False),
    BranchCoverage(ran=True, fell_through=True, taken=True),
    BranchCoverage(ran=False, fell_through=False, taken=False),
)
FOUND = {
    "main.c": FileCoverage(
        lines={3: True, 4: True, 9: False},
        functions={"main": (3, True), "unused<T>": (9, False)},
        branches={(4, 0x10): REACHED, (9, 0x20): NEVER},
    )
}


def test_a_tracefile() -> None:
    assert lcov(FOUND).splitlines() == [
        "SF:main.c",
        "FN:3,main",
        "FNDA:1,main",
        "FN:9,unused<T>",
        "FNDA:0,unused<T>",
        "FNF:2",
        "FNH:1",
        "BRDA:4,0,0,0",
        "BRDA:4,0,1,1",
        "BRDA:9,1,0,-",
        "BRDA:9,1,1,-",
        "BRF:4",
        "BRH:1",
        "DA:3,1",
        "DA:4,1",
        "DA:9,0",
        "LF:3",
        "LH:2",
        "end_of_record",
    ]


def test_cobertura() -> None:
    root = ElementTree.fromstring(cobertura(FOUND))
    assert root.get("line-rate") == "0.6667"
    assert root.get("branches-covered") == "1"
    line = root.find(".//line[@number='4']")
    assert line is not None
    assert line.get("condition-coverage") == "50% (1/2)"


def test_pages_escape_what_the_sources_hold(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("a\nb\nint main(void) {\nif (a < b) {\n")
    found = pages(FOUND, tmp_path)
    assert set(found) == {"index.html", "0.html"}
    assert '<pre class="half"><span class="n">4</span>if (a &lt; b) {</pre>' in found["0.html"]
    assert '<pre class="miss"><span class="n">9</span></pre>' in found["0.html"]
    assert "--sources" in pages(FOUND, tmp_path / "elsewhere")["0.html"]


def test_runs_are_merged() -> None:
    other = {
        "main.c": FileCoverage(
            lines={3: False, 9: True},
            functions={"main": (3, False), "unused<T>": (9, True)},
            branches={(4, 0x10): BOTH},
        ),
        "a.c": FileCoverage(lines={1: True}),
    }
    merged = merge([FOUND, other])
    assert list(merged) == ["a.c", "main.c"]
    assert merged["main.c"].lines == {3: True, 4: True, 9: True}
    assert merged["main.c"].functions == {"main": (3, True), "unused<T>": (9, True)}
    assert merged["main.c"].branches[4, 0x10] == BOTH

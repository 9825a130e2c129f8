"""What the report of the corpus' programs says, and what annotations change in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from boardless.project.annotations import PriorityLevel, Task
from boardless.stack import (
    Confidence,
    StackAnnotations,
    StackReport,
    analyse_stack,
    explain,
    suggest,
)
from boardless.stack.report import FunctionStack, IndirectSite
from boardless_sim.errors import ConfigError, ImageError
from tests.unit.stack.conftest import Corpus

BOUNDED = StackAnnotations(
    calls=(("Reset_Handler", ()), ("goes_through_a_pointer", ("receive",))),
    recursion=(("factorial", 12), ("even", 7)),
    frames=(("takes_alloca", 40), ("takes_vla", 64)),
)


def function(report: StackReport, name: str) -> FunctionStack:
    (found,) = report.find(name)
    return found


def site(report: StackReport, caller: str) -> IndirectSite:
    (found,) = (site for site in report.indirect if site.caller == caller)
    return found


def test_the_interrupt_attribute_adds_its_realignment(shapes: Path) -> None:
    report = analyse_stack(shapes, StackAnnotations())
    assert function(report, "SysTick_Handler").own_bytes % 8 == 4


def test_a_tail_call_counts_without_the_frame(shapes: Path) -> None:
    report = analyse_stack(shapes, StackAnnotations())
    wide, tail = function(report, "wide"), function(report, "ends_in_a_tail_call")
    assert tail.bound_bytes == wide.bound_bytes
    assert [step.function for step in tail.path] == ["ends_in_a_tail_call", "wide"]
    assert tail.path[0].depth == 0


def test_a_size_known_at_run_time_is_unbounded(shapes: Path) -> None:
    found = function(analyse_stack(shapes, StackAnnotations()), "takes_alloca")
    assert found.is_dynamic
    assert found.grade == Confidence.UNBOUNDED
    assert re.fullmatch(r"takes_alloca\+0x\w+ takes a size that only a run knows", found.reasons[0])


def test_a_frame_given_for_it_bounds_it(shapes: Path) -> None:
    found = function(analyse_stack(shapes, BOUNDED), "takes_alloca")
    assert (found.grade, found.bound_bytes) == (Confidence.ANNOTATED, 40)


def test_recursion_is_found_and_bounded_by_its_depth(shapes: Path) -> None:
    free = analyse_stack(shapes, StackAnnotations())
    assert ("even", "odd") in {cycle.functions for cycle in free.cycles}
    assert function(free, "factorial").bound_bytes is None
    found = function(analyse_stack(shapes, BOUNDED), "factorial")
    assert (found.grade, found.bound_bytes) == (Confidence.ANNOTATED, 12 * found.own_bytes)


def test_a_read_only_table_is_called_whole(shapes: Path) -> None:
    found = site(analyse_stack(shapes, StackAnnotations()), "goes_through_a_table")
    assert (found.grade, found.chosen_by) == (Confidence.EXACT, "read-only table")
    names = [candidate.name for candidate in found.candidates]
    assert names == ["ends_in_a_tail_call", "wide", "leaf"]


def test_a_pointer_is_narrowed_by_prototype_and_keeps_its_target(shapes: Path) -> None:
    found = site(analyse_stack(shapes, StackAnnotations()), "ends_through_a_pointer")
    names = {candidate.name for candidate in found.candidates}
    assert (found.grade, found.chosen_by) == (Confidence.ASSUMED, "stores")
    assert "send" in names
    assert "compare" not in names  # another prototype


@pytest.mark.parametrize("options", [("-Os",), ("-O2",), ("-O0",)])
def test_a_pointer_handed_over_is_what_every_caller_hands_over(
    corpus: Corpus, options: tuple[str, ...]
) -> None:
    report = analyse_stack(corpus("shapes.c", *options), StackAnnotations())
    for caller, expected in (
        ("hands_on", {"send", "receive"}),
        ("hands_on_from_the_stack", {"receive"}),
    ):
        found = site(report, caller)
        assert (found.grade, found.chosen_by) == (Confidence.EXACT, "callers' arguments"), caller
        assert {candidate.name for candidate in found.candidates} == expected


def test_a_comparison_that_newlib_sorts_by_is_known(corpus: Corpus) -> None:
    report = analyse_stack(corpus("library.c", "-Os"), StackAnnotations())
    sites = [site for site in report.indirect if site.caller == "qsort"]
    assert sites
    for found in sites:
        assert [candidate.name for candidate in found.candidates] == ["by_value"]


def test_without_debug_information_it_is_who_was_put_there(shapes: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.elf"
    subprocess.run(["arm-none-eabi-objcopy", "-g", str(shapes), str(bare)], check=True)
    found = site(analyse_stack(bare, StackAnnotations()), "ends_through_a_pointer")
    names = {candidate.name for candidate in found.candidates}
    assert found.chosen_by == "stores"
    assert "send" in names


def test_an_annotation_decides_who_is_called(shapes: Path) -> None:
    report = analyse_stack(shapes, BOUNDED)
    found = site(report, "goes_through_a_pointer")
    assert (found.grade, [one.name for one in found.candidates]) == (
        Confidence.ANNOTATED,
        ["receive"],
    )


def test_a_place_in_the_caller_can_be_named(shapes: Path) -> None:
    free = site(analyse_stack(shapes, StackAnnotations()), "ends_through_a_pointer")
    annotations = StackAnnotations(calls=((free.place, ("send",)),))
    found = site(analyse_stack(shapes, annotations), "ends_through_a_pointer")
    assert [one.name for one in found.candidates] == ["send"]


def test_a_parameter_can_be_named(shapes: Path) -> None:
    annotations = StackAnnotations(calls=(("hands_on(done)", ("rec*",)),))
    found = site(analyse_stack(shapes, annotations), "hands_on")
    assert found.grade == Confidence.ANNOTATED
    assert [one.name for one in found.candidates] == ["receive"]
    stack = StackAnnotations(calls=(("hands_on_from_the_stack(done)", ()),))
    assert site(analyse_stack(shapes, stack), "hands_on_from_the_stack").candidates == ()


def test_virtual_calls_reach_every_override(corpus: Corpus) -> None:
    report = analyse_stack(corpus("objects.cpp", "-Os"), StackAnnotations())
    names = {
        candidate.name
        for found in report.indirect
        if found.caller == "_Z8draw_allPP5Shapei"
        for candidate in found.candidates
    }
    assert {"_ZNK6Square4areaEi", "_ZNK4Ring4areaEi", "_ZN4Ring4drawEv"} <= names


def test_calls_that_end_the_program_are_reported_apart(shapes: Path) -> None:
    counted = function(analyse_stack(shapes, StackAnnotations()), "checks")
    apart = function(analyse_stack(shapes, StackAnnotations(cold=("gives_up",))), "checks")
    assert counted.bound_bytes == counted.cold_bytes == apart.cold_bytes
    assert apart.bound_bytes is not None
    assert apart.cold_bytes is not None
    assert apart.bound_bytes < apart.cold_bytes


def test_levels_nest_and_handlers_of_one_level_do_not(shapes: Path) -> None:
    soft = StackAnnotations(fp=False)
    (level,) = analyse_stack(shapes, soft).interrupts.levels
    assert (level.handler, level.frame_bytes, level.grade) == (
        "SysTick_Handler",
        36,
        Confidence.ASSUMED,
    )
    named = StackAnnotations(levels=(PriorityLevel("1", ("SysTick_Handler", "leaf")),))
    (level,) = analyse_stack(shapes, named).interrupts.levels
    assert (level.frame_bytes, level.grade) == (108, Confidence.ANNOTATED)


def test_the_main_stack_is_the_entry_and_every_level(shapes: Path) -> None:
    report = analyse_stack(shapes, BOUNDED)
    assert report.thread_bytes is not None
    assert report.interrupts.bound_bytes is not None
    assert report.bound_bytes == report.thread_bytes + report.interrupts.bound_bytes


def test_a_task_has_its_path_one_exception_frame_and_a_switch(shapes: Path) -> None:
    annotations = StackAnnotations(tasks=(Task("blink", "wide"),))
    report = analyse_stack(shapes, annotations)
    (task,) = report.tasks
    wide = function(report, "wide").bound_bytes
    assert wide is not None
    assert task.bound_bytes == wide + 108 + 36 + 64


def test_a_stripped_elf_is_unbounded_with_its_reason(shapes: Path, tmp_path: Path) -> None:
    bare = tmp_path / "stripped.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", str(bare), str(shapes)], check=True)
    report = analyse_stack(bare, StackAnnotations())
    assert (report.is_stripped, report.bound_bytes, report.grade) == (
        True,
        None,
        Confidence.UNBOUNDED,
    )
    assert report.reasons == ("stripped ELF: no function symbol, expected .symtab",)


def test_why_prints_the_path_frame_by_frame(shapes: Path) -> None:
    report = analyse_stack(shapes, StackAnnotations())
    lines = explain(report, "ends_in_a_tail_call").splitlines()
    address = function(report, "ends_in_a_tail_call").address
    assert lines == [
        f"ends_in_a_tail_call at {address:#010x}: 400 bytes (exact)",
        "        at    depth       to  function",
        "         0        0        0  ends_in_a_tail_call (own frame 8)",
        "         0      400      400  wide (own frame 400)",
    ]


def test_why_of_the_entry_has_what_a_run_measured_beside_it(shapes: Path) -> None:
    report = analyse_stack(shapes, StackAnnotations())
    first, second = report.path[:2]
    lines = explain(report, report.entry, {first.function: first.depth}).splitlines()
    assert lines[1] == "        at    depth       to measured  function"
    assert lines[2].split()[:4] == ["0", *[str(first.depth)] * 3]
    assert lines[3].split()[:5:3] == [str(first.depth), "-"]
    assert second.function in lines[3]
    assert "measured" not in explain(report, second.function, {})


def test_why_of_an_unknown_symbol_names_the_nearest(shapes: Path) -> None:
    with pytest.raises(ConfigError, match="no function 'wyde', expected 'wide'\\?"):
        explain(analyse_stack(shapes, StackAnnotations()), "wyde")


def test_suggested_toml_is_accepted_as_it_stands(shapes: Path) -> None:
    text = suggest(analyse_stack(shapes, StackAnnotations()))
    assert '    "send",  # 160 bytes' in text
    assert '# "factorial" = 1' in text
    assert '# "takes_alloca" = ' in text


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (StackAnnotations(calls=(("wyde", ("leaf",)),)), "calls] no function 'wyde'"),
        (StackAnnotations(calls=(("wide", ("leaf",)),)), "'wide': no call through a pointer"),
        (
            StackAnnotations(calls=(("ends_through_a_pointer+0x1", ("leaf",)),)),
            "no call through a pointer there, expected +0x",
        ),
        (
            StackAnnotations(calls=(("hands_on(x)", ("leaf",)),)),
            "'hands_on(x)': no call through a pointer there, expected +0x",
        ),
        (StackAnnotations(calls=(("hands_on", ("wyd*",)),)), "calls] no function 'wyd*'"),
        (StackAnnotations(recursion=(("wide", 3),)), "'wide': never reaches itself"),
        (StackAnnotations(frames=(("wyde", 3),)), "frames] no function 'wyde'"),
        (StackAnnotations(entries=("mane",)), "entry: no function 'mane' in the ELF"),
        (StackAnnotations(cold=("wide",)), "cold: 'wide' returns"),
        (StackAnnotations(levels=(PriorityLevel("1", ("Systick",)),)), "no function 'Systick'"),
    ],
)
def test_an_annotation_that_fits_nothing_is_an_error(
    shapes: Path, annotations: StackAnnotations, message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        analyse_stack(shapes, annotations)


def test_a_file_that_is_no_elf_is_an_error(tmp_path: Path) -> None:
    text = tmp_path / "text.elf"
    text.write_text("not an ELF")
    with pytest.raises(ImageError, match="expected an ELF"):
        analyse_stack(text, StackAnnotations())

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from boardless.project.annotations import PriorityLevel, StackAnnotations, Task, read_annotations
from boardless.project.budgets import Budget
from boardless.project.toml_table import TomlTable
from boardless_sim.errors import ConfigError

WHOLE = """
entry = "Reset_Handler"
cold = ["fault_report"]
su = "build"
calls = { "nn_run" = [], "poll+0x1a" = ["uart"] }
recursion = { qsort = 8 }
frames = { read_line = "1K" }
interrupts.fp = true
interrupts.level = { "1" = ["SysTick_Handler"] }
task = [{ name = "sensor", entry = "sensor_task", max = 512 }]
"""


def read(text: str) -> StackAnnotations:
    table = TomlTable(Path("project/boardless.toml"), "budget.stack", tomllib.loads(text))
    annotations = read_annotations(table)
    table.close()
    return annotations


def test_every_key_is_read() -> None:
    assert read(WHOLE) == StackAnnotations(
        entries=("Reset_Handler",),
        calls=(("nn_run", ()), ("poll+0x1a", ("uart",))),
        recursion=(("qsort", 8),),
        frames=(("read_line", 1024),),
        tasks=(Task("sensor", "sensor_task", Budget("stack.task sensor", 512)),),
        levels=(PriorityLevel("1", ("SysTick_Handler",)),),
        fp=True,
        cold=("fault_report",),
        su_folders=(Path("project/build"),),
    )


def test_nothing_given_is_nothing_said() -> None:
    assert read("") == StackAnnotations()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recursive = {}", "unknown key 'recursive', expected 'recursion'?"),
        ("recursion = { qsort = 0 }", "qsort: found 0, expected a number from 1"),
        ("calls = { a = 3 }", "a: found 3, expected a text or a list of texts"),
        ("interrupts.fp = 1", "fp: found 1, expected true or false"),
        ("interrupts.levels = {}", "unknown key 'levels', expected 'level'?"),
        ('task = [{ name = "a" }]', "entry: not there, expected a text"),
        ("interrupts.level = { one = [] }", "one: found [], expected a text or a list of texts"),
    ],
)
def test_a_mistake_is_one_line_with_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)

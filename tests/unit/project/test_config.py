from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boardless.project.budgets import Budget, SizeBudget
from boardless.project.config import find_config, load_config
from boardless.project.regions import Region
from boardless_sim.errors import ConfigError
from tests.unit.default_chip import STM32F407VG

WHOLE = """
[project]
elf = "build/app.elf"
[budget.region.FLASH]
max = "448K"
[budget.region.QSPI]
kind = "flash"
origin = 0x9000_0000
length = "8 MiB"
max = "4M"
[budget.model]
max = "8 KiB"
[[budget.size]]
name = "kernels"
symbol = ["nn_*", "dsp_*"]
max = 6144
[[budget.size]]
name = "vectors"
section = ".isr_vector"
max = "1024 B"
[budget.static-ram]
max = "32K"
stack-sections = ["._user_heap_stack"]
[budget.stack]
measured-max = "2K"
"""


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "boardless.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "boardless.toml"
    path.write_text(WHOLE)
    config = load_config(path)
    assert config.elf == tmp_path / "build/app.elf"
    assert config.regions == (STM32F407VG[0], Region("QSPI", "flash", 0x9000_0000, 8 << 20))
    assert config.stack_sections == ("._user_heap_stack",)
    assert config.budgets.of_kind("region") == (
        Budget("region.FLASH", 448 << 10),
        Budget("region.QSPI", 4 << 20),
    )
    assert config.budgets.sizes == (
        SizeBudget("size.model", 8192, what="section", patterns=(".model",)),
        SizeBudget("size.kernels", 6144, what="symbol", patterns=("nn_*", "dsp_*")),
        SizeBudget("size.vectors", 1024, what="section", patterns=(".isr_vector",)),
    )
    assert config.budgets.max_of("size.static-ram") == 32 << 10
    assert config.budgets.max_of("stack.measured") == 2 << 10


def test_empty_file_has_no_budgets(tmp_path: Path) -> None:
    path = tmp_path / "boardless.toml"
    path.touch()
    config = load_config(path)
    assert config.elf is None
    assert not config.budgets.held


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[projekt]", "unknown key 'projekt', expected 'project'?"),
        ("[project]\nelv = 'a'", "[project] unknown key 'elv', expected 'elf'?"),
        (
            "[project]\nboard = 'a'",
            "[project] unknown key 'board', expected one of: elf, map, frames, for",
        ),
        ("[project]\nelf = 3", "[project] elf: found 3, expected a text of one line"),
        ("[project]\nelf = ''", "[project] elf: found '', expected a text of one line"),
        ("project = 3", "project: found 3, expected a table"),
        (
            "[budget.model]\nmaximum = 1\nmax = 1",
            "[budget.model] unknown key 'maximum', expected 'max'?",
        ),
        (
            "[budget.model]",
            "[budget.model] max: not there, expected bytes as 8192, '8K', '8 KiB' or '1M'",
        ),
        (
            "[budget.model]\nmax = '8 KB'",
            "[budget.model] max: found '8 KB', expected bytes as 8192, '8K', '8 KiB' or '1M'",
        ),
        (
            "[budget.model]\nmax = true",
            "[budget.model] max: found True, expected bytes as 8192, '8K', '8 KiB' or '1M'",
        ),
        (
            "[budget.model]\nmax = -1",
            "[budget.model] max: found -1, expected bytes as 8192, '8K', '8 KiB' or '1M'",
        ),
        (
            "[budget.model]\nmax = 1\nsections = []",
            "[budget.model] sections: found [], expected a text or a list of texts",
        ),
        (
            "[budget.region.FLAHS]\nmax = 1",
            (
                "[budget.region.FLAHS] found region 'FLAHS', expected FLASH, RAM, CCM, BACKUP, "
                "or its kind, origin and length"
            ),
        ),
        (
            "[budget.region.X]\nmax = 1\nkind = 'rom'\norigin = 0\nlength = 1",
            "[budget.region.X] kind: found 'rom', expected 'flash' or 'ram'",
        ),
        (
            "[budget.region.X]\nmax = 1\nkind = 'ram'\norigin = 0xFFFF_0000\nlength = '1M'",
            "[budget.region.X] found 1048576 bytes at 0xffff0000, expected a range in 32 bits",
        ),
        (
            "[budget]\nsize = 3",
            "[budget] size: found 3, expected tables, each written [[budget.size]]",
        ),
        (
            "[[budget.size]]\nmax = 1\nsymbol = 'a'",
            "[budget.size 1] name: not there, expected a text",
        ),
        (
            "[[budget.size]]\nname = 'a'\nmax = 1",
            "[budget.size 1] found none, expected one of symbol, section, source, archive",
        ),
        (
            "[[budget.size]]\nname = 'a'\nmax = 1\nsymbol = 'a'\nsection = 'b'",
            "[budget.size 1] found symbol and section, "
            "expected one of symbol, section, source, archive",
        ),
        (
            (
                "[[budget.size]]\nname = 'a'\nmax = 1\nsymbol = 'a'\n"
                "[[budget.size]]\nname = 'a'\nmax = 2\nsymbol = 'b'"
            ),
            "[budget.size 2] name: found 'a' again, expected a name not used yet",
        ),
        (
            "[[budget.size]]\nname = 'model'\nmax = 1\nsymbol = 'a'",
            "[budget.size 1] name: found 'model' again, expected a name not used yet",
        ),
        (
            "[budget.stack]\nmeasured_max = 1",
            "[budget.stack] unknown key 'measured_max', expected 'measured-max'?",
        ),
        ("a = ", "not TOML: Invalid value (at end of document)"),
        ("a = 1\na = 1\n\n", "not TOML: Cannot overwrite a value (at line 2, column 6)"),
        ("a = " + "[" * 5_000, "nested too deep, expected tables and sizes"),
        (
            '"new\\nline" = 1',
            "unknown key 'new\\nline', "
            "expected one of: target, project, budget, console, classes, symbols, stages, "
            "checks, board, camera, attach, image",
        ),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, expected: str) -> None:
    assert complaint(tmp_path, text) == expected


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "boardless.toml"
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="byte 5 is not UTF-8, expected TOML"):
        load_config(path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory, expected a TOML file"):
        load_config(tmp_path / "boardless.toml")
    with pytest.raises(ConfigError, match="not there, expected the project's budgets"):
        find_config(tmp_path)


def test_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "boardless.toml"
    path.write_text("#" * ((1 << 20) + 1))
    with pytest.raises(
        ConfigError, match="1,048,577 bytes, expected a TOML file of at most 1,048,576"
    ):
        load_config(path)


def test_an_integer_of_thousands_of_digits_is_one_line(tmp_path: Path) -> None:
    """Python's own int() refuses it with an error that is none of TOML's."""
    path = tmp_path / "boardless.toml"
    path.write_text("noise = " + "9" * 5000)
    with pytest.raises(ConfigError, match=r"boardless\.toml: not TOML: Exceeds the limit "):
        load_config(path)


@given(text=st.text(max_size=80), where=st.integers(0, len(WHOLE)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_in_one_line(tmp_path: Path, text: str, where: int) -> None:
    path = tmp_path / "boardless.toml"
    path.write_bytes((WHOLE[:where] + text + WHOLE[where:]).encode("utf-8", "surrogateescape"))
    try:
        load_config(path)
    except ConfigError as error:
        message = str(error)
    else:
        message = f"{path}: read"
    assert message.startswith(f"{path}: ")
    assert "\n" not in message

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SUITE = Path(__file__).parents[2] / "robot" / "failures.robot"
ROOT = Path(__file__).parents[3]
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run of the failing suite."""
    folder = tmp_path_factory.mktemp("robot")
    command = [sys.executable, "-m", "robot", "--console", "none", "--xunit", "xunit.xml"]
    command += ["--pythonpath", str(ROOT), "--outputdir", str(folder), str(SUITE)]
    done = subprocess.run(command, check=False, timeout=TIMEOUT_S, capture_output=True, text=True)
    assert done.returncode == 4, done.stdout + done.stderr
    return folder


def messages(output: Path, test: str) -> list[str]:
    root = ElementTree.parse(output / "output.xml").getroot()
    found = root.find(f".//test[@name='{test}']")
    assert found is not None
    return [message.text or "" for message in found.iter("msg")]


def pictures(output: Path, test: str) -> int:
    return sum('src="data:image/png;base64,' in text for text in messages(output, test))


@pytest.mark.parametrize(
    "test",
    ["Keyword Of The Library Fails", "Keyword Of Another Library Fails", "Stack Is Too Deep"],
)
def test_a_failed_test_shows_frame_and_transcript_once(output: Path, test: str) -> None:
    assert pictures(output, test) == 1
    assert any("USART2  m- boardless ready" in text for text in messages(output, test))
    folder = output / "evidence" / f"Failures.{test.replace(' ', '_')}"
    assert {entry.name for entry in folder.iterdir()} == {"frame.png", "uart.txt", "board.txt"}


@pytest.mark.parametrize(
    ("test", "where"),
    [
        ("Keyword Of The Library Fails", "Result Class Should Be"),
        ("Keyword Of Another Library Fails", "Power Off Board"),
    ],
)
def test_the_picture_stands_where_it_failed(output: Path, test: str, where: str) -> None:
    root = ElementTree.parse(output / "output.xml").getroot()
    found = root.find(f".//test[@name='{test}']/kw[@name='{where}']")
    assert found is not None
    assert any("data:image/png" in (message.text or "") for message in found.iter("msg"))


def test_a_passed_test_leaves_no_evidence(output: Path) -> None:
    assert pictures(output, "Test Passes") == 0
    assert not (output / "evidence" / "Failures.Test_Passes").exists()


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("Keyword Of The Library Fails", "frame t10k[0]: class is 0, expected 7 (score 90)"),
        ("Keyword Of Another Library Fails", "0 != 7"),
        ("Stack Is Too Deep", "stack reached 1024 bytes in nn_run, expected at most 512"),
        (
            "Size Is Misspelt",
            "ValueError: Argument 'most' got value '8 KB' that cannot be converted to Size: "
            "found '8 KB', expected a size such as 8192, 8 KiB or 1 MiB",
        ),
    ],
)
def test_the_test_fails_with_the_keyword_s_message(output: Path, test: str, message: str) -> None:
    root = ElementTree.parse(output / "xunit.xml").getroot()
    failure = root.find(f".//testcase[@name='{test}']/failure")
    assert failure is not None
    assert failure.get("message") == message

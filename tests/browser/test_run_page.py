"""The page of a run as a browser has it: Debian's chromium, without a window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boardless.report.run_html import MOST_PICTURES, RunPage, run_html
from boardless_sim.camera.frame import Frame
from tests.unit.report.test_run_html import report, result

CHROMIUM = shutil.which("chromium")
WIDTH, HEIGHT = 1200, 1600
GREEN, RED = (26, 127, 55), (192, 38, 45)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium: apt install chromium")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Ten thousand frames, of which each of class 0 is taken for 1."""
    results = [result(n, n % 10, max(n % 10, 1)) for n in range(10_000)]
    grey = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    pictures = {one.frame: Frame("", grey) for one in results if one.is_wrong}
    path = tmp_path / "run.html"
    path.write_text(run_html(RunPage(report(*results), (), (), (), pictures)), encoding="utf-8")
    return path


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    profile = page.parent / "profile"
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
    command = [CHROMIUM, *flags, *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_it_is_drawn(page: Path) -> None:
    shot = page.parent / "shot.png"
    browse(page, f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}", "--hide-scrollbars")
    with Image.open(shot) as picture:
        seen = np.asarray(picture.convert("RGB"))
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert (seen == GREEN).all(axis=2).sum() > 10_000, "no green verdict"
    assert not (seen == RED).all(axis=2).any()
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 200, "no pictures"


def test_the_browser_finds_nothing_to_load_and_nothing_to_run(page: Path) -> None:
    done = browse(page, "--dump-dom", "--enable-logging=stderr")
    assert done.stdout.count("<figure>") == MOST_PICTURES
    assert "Content Security Policy" not in done.stderr


def test_it_prints(page: Path) -> None:
    pdf = page.parent / "run.pdf"
    browse(page, f"--print-to-pdf={pdf}")
    assert pdf.read_bytes().startswith(b"%PDF")

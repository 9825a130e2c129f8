"""`boardless view` in a process of its own, and a headless Chromium that looks at it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
ELF = ROOT / "build/firmware/boardless.elf"
LIMIT_S = 60


@dataclass(frozen=True)
class Page:
    """Where it is served."""

    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    options = getattr(request.module, "VIEW_OPTIONS", ())
    command = [sys.executable, "-m", "boardless", "view", str(ELF), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Page(process.stdout.readline().strip())
        process.terminate()
        assert process.wait(LIMIT_S) == 143


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    driver = shutil.which("chromedriver")
    chromium = shutil.which("chromium")
    assert driver is not None
    assert chromium is not None
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new",
        "--no-sandbox",  # tests may run as root, in a container
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--window-size=1280,900",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture(scope="module")
def wait(browser: Chrome) -> WebDriverWait[Chrome]:
    return WebDriverWait(browser, LIMIT_S, poll_frequency=0.1)

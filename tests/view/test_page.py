"""The click path: what a person does on the page, from opening it to closing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.view.conftest import Page

VIEW_OPTIONS = ("--display",)
Wait: TypeAlias = WebDriverWait[Chrome]


@pytest.fixture(name="seen", autouse=True)
def open_page(browser: Chrome, page: Page, wait: Wait) -> Callable[[str], str]:
    """The page, and the text of one of its elements."""

    def text(name: str) -> str:
        return str(
            browser.execute_script("return document.getElementById(arguments[0]).textContent", name)
        )

    browser.get(page.url)
    wait.until(lambda _: text("link") == "connected" and text("class") != "–")
    return text


def _click(browser: Chrome, name: str) -> None:
    browser.find_element(By.ID, name).click()


def _press(browser: Chrome, key: str) -> None:
    ActionChains(browser).send_keys(key).perform()


def _pause(browser: Chrome, wait: Wait, seen: Callable[[str], str]) -> None:
    if seen("pause") == "Pause":
        _press(browser, Keys.SPACE)
    wait.until(lambda _: seen("pause") == "Run")


def _run(browser: Chrome, wait: Wait, seen: Callable[[str], str]) -> None:
    if seen("pause") == "Run":
        _press(browser, Keys.SPACE)
    wait.until(lambda _: seen("pause") == "Pause")


def _results(text: str) -> int:
    return int(text.split(", ")[1].split()[0].replace(",", ""))


def _has_contrast(browser: Chrome, selector: str) -> bool:
    script = """
        const canvas = document.querySelector(arguments[0]);
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(data.filter((_, i) => i % 4 === 0)).size > 2;
    """
    return bool(browser.execute_script(script, selector))


def test_it_shows_the_camera_the_network_and_the_uart(
    browser: Chrome, seen: Callable[[str], str]
) -> None:
    assert seen("elf") == "boardless.elf"
    assert all(_has_contrast(browser, f"#{name}") for name in ("camera", "input"))
    assert _has_contrast(browser, "#layers canvas")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#layers figure")) == 5
    assert len(browser.find_elements(By.CSS_SELECTOR, "#scores meter")) == 10
    assert "USART2  r- frame=" in seen("uart")
    assert "of 4,096 bytes" in seen("stack-text")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#pins i.high")) > 3
    assert browser.find_element(By.ID, "display").is_displayed()
    assert seen("latency").endswith(" ms")


def test_a_frame_forward_back_and_forward_again_is_the_same_frame(
    browser: Chrome, wait: Wait, seen: Callable[[str], str]
) -> None:
    _pause(browser, wait, seen)
    before = _results(seen("frames"))
    _press(browser, Keys.ARROW_RIGHT)
    wait.until(lambda _: _results(seen("frames")) == before + 1)
    time, uart = seen("time"), seen("uart")
    _press(browser, Keys.ARROW_RIGHT)
    wait.until(lambda _: _results(seen("frames")) == before + 2)
    _press(browser, Keys.ARROW_LEFT)
    wait.until(lambda _: _results(seen("frames")) == before + 1)
    assert (seen("time"), seen("uart")) == (time, uart)
    _run(browser, wait, seen)
    wait.until(lambda _: _results(seen("frames")) > before + 1)


def test_the_speed_is_halved_and_doubled(
    browser: Chrome, wait: Wait, seen: Callable[[str], str]
) -> None:
    _press(browser, "-")
    wait.until(lambda _: seen("speed") == "1/2×")
    _click(browser, "faster")
    wait.until(lambda _: seen("speed") == "1×")


def test_a_fault_goes_on_and_off(browser: Chrome, wait: Wait, seen: Callable[[str], str]) -> None:
    _run(browser, wait, seen)
    button = browser.find_element(By.CSS_SELECTOR, "[data-fault='dead sensor']")
    button.click()
    wait.until(lambda _: button.get_attribute("aria-pressed") == "true")
    wait.until(lambda _: "e- " in seen("uart"))
    button.click()
    wait.until(lambda _: button.get_attribute("aria-pressed") == "false")
    results = _results(seen("frames"))
    wait.until(lambda _: _results(seen("frames")) > results)


def test_a_picture_and_a_camera_are_dropped_in(
    browser: Chrome, wait: Wait, seen: Callable[[str], str], tmp_path: Path
) -> None:
    picture = tmp_path / "shoe.jpg"
    ramp = np.linspace(0, 255, 640 * 480).reshape(480, 640).astype(np.uint8)
    Image.fromarray(ramp).save(picture)
    browser.find_element(By.ID, "file").send_keys(str(picture))
    wait.until(lambda _: seen("input-name") == "shoe.jpg")
    _click(browser, "webcam")
    wait.until(lambda _: seen("frame-name") == "this camera")
    _click(browser, "source")
    wait.until(lambda _: "noise" in seen("frame-name"))
    assert seen("note") == ""


def test_a_text_is_sent_and_a_wrong_one_is_said(
    browser: Chrome, wait: Wait, seen: Callable[[str], str]
) -> None:
    _press(browser, "u")
    box = browser.switch_to.active_element
    assert box.get_attribute("id") == "text"
    box.send_keys("hello", Keys.ENTER)
    assert box.get_attribute("value") == ""
    browser.execute_script("document.getElementById('text').maxLength = 9999")
    browser.execute_script("document.getElementById('text').value = 'x'.repeat(2000)")
    box.send_keys(Keys.ENTER)
    wait.until(lambda _: "at most 1000 characters" in seen("note"))


def test_closed_and_opened_again_it_goes_on(
    browser: Chrome, page: Page, wait: Wait, seen: Callable[[str], str]
) -> None:
    _run(browser, wait, seen)
    then = float(seen("time").split()[0])
    browser.get("about:blank")
    browser.get(page.url)
    wait.until(lambda _: seen("time") != "–" and float(seen("time").split()[0]) > then)


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits(browser: Chrome, wait: Wait, width: int) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wait.until(lambda _: browser.execute_script("return innerWidth") == width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_browser_has_nothing_to_complain_about(browser: Chrome) -> None:
    chrome: Any = browser
    assert [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"] == []

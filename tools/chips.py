"""The facts of STM32F4 parts, from the PyPI package modm-devices: a JSON for each line of parts.

    python -m venv build/modm && build/modm/bin/pip install modm-devices==0.13.1
    build/modm/bin/python tools/chips.py [--check]

Writes sim/boardless_sim/chips/facts/stm32f407.json and its neighbours. `modm-devices` (MPL-2.0) is
no dependency: only facts are carried, none of its files (docs/adr, "Chips as data").
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

LINES = (
    "stm32f401", "stm32f411", "stm32f405", "stm32f407", "stm32f415", "stm32f417", "stm32f427",
    "stm32f429", "stm32f437", "stm32f439", "stm32f446", "stm32f469", "stm32f479",
)  # fmt: skip
FACTS = Path(__file__).parents[1] / "sim" / "boardless_sim" / "chips" / "facts"
_PART = len("stm32f407vg")  # line, pin count, Flash size; the package and temperature follow

_DEVICE_NAMES = {"usb_otg_fs": "OTG_FS", "usb_otg_hs": "OTG_HS", "hdmi_cec": "CEC"}
_NOT_DEVICES = frozenset({"core", "gpio", "sys", "i2s"})
# As in the manual (RM0090 tables 42 and 43): one request line of the SDIO serves both ways.
_SIGNAL_NAMES = {
    "RCC_MCO_1": "MCO1", "RCC_MCO_2": "MCO2", "DCMI_PIXCLK": "DCMI_PIXCK", "DAC_DAC1": "DAC1",
    "DAC_DAC2": "DAC2", "SDIO_RX": "SDIO", "SDIO_TX": "SDIO",
}  # fmt: skip

Json = dict[str, Any]


def _device_names(driver: Mapping[str, Any]) -> list[str]:
    name = _DEVICE_NAMES.get(driver["name"], driver["name"].upper())
    return [f"{name}{instance}" for instance in driver.get("instance") or ("",)]


def _signal(signal: Mapping[str, str]) -> str:
    device = _DEVICE_NAMES.get(signal["driver"], signal["driver"].upper())
    name = device + signal.get("instance", "")
    if "name" in signal:
        name += "_" + signal["name"].upper()
    return _SIGNAL_NAMES.get(name, name)


def _pins(devices: Iterable[Any]) -> Json:
    """By pin: its signals as "alternate function:signal". The union over a line's packages."""
    pins: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for device in devices:
        for pin in device.get_driver("gpio")["gpio"]:
            functions = pins[pin["port"].upper() + pin["pin"]]
            for signal in pin.get("signal", ()):
                if "af" in signal and (int(signal["af"]), _signal(signal)) not in functions:
                    functions.append((int(signal["af"]), _signal(signal)))
    return {
        pin: " ".join(f"{number}:{name}" for number, name in sorted(pins[pin]))
        for pin in sorted(pins, key=lambda pin: (pin[0], int(pin[1:])))
    }


def _requests(devices: Iterable[Any]) -> Json:
    """By controller, stream and channel: which request lines come there."""
    requests: dict[str, list[str]] = defaultdict(list)
    for device in devices:
        for controller in device.get_driver("dma")["streams"]:
            for stream in controller["stream"]:
                for channel in stream["channel"]:
                    place = (
                        f"DMA{controller['instance']} {stream['position']} {channel['position']}"
                    )
                    names = [_signal(signal) for signal in channel["signal"]]
                    requests[place] += [name for name in names if name not in requests[place]]
    return {place: " ".join(dict.fromkeys(names)) for place, names in sorted(requests.items())}


def _memories(device: Any) -> Json:
    return {
        area["name"]: [int(area["start"], 0), int(area["size"])]
        for area in device.get_driver("core")["memory"]
    }


def _wait_states(device: Any) -> Json:
    """By the least supply in millivolts: the highest HCLK in hertz for 0, 1, 2 … wait states."""
    return {
        supply["vcore-min"]: [int(state["hclk-max"]) for state in supply["wait-state"]]
        for supply in device.get_driver("flash")["latency"]
    }


def facts_of(line: str, devices: list[Any]) -> Json:
    """What a line of parts has."""
    first = devices[0]
    names = {
        name
        for device in devices
        for driver in device.properties["driver"]
        if driver["name"] not in _NOT_DEVICES
        for name in _device_names(driver)
    }
    pins = _pins(devices)
    names |= {f"GPIO{pin[0]}" for pin in pins}
    interrupts = {v["name"]: int(v["position"]) for v in first.get_driver("core")["vector"]}
    return {
        "source": f"modm-devices {version('modm-devices')} (MPL-2.0), facts only",
        "line": line,
        "core": first.get_driver("core")["type"],
        "max_hz": int(first.get_driver("rcc")["max-frequency"][0]),
        "parts": {device.partname[:_PART]: _memories(device) for device in devices},
        "devices": sorted(names),
        "interrupts": interrupts,
        "wait_states": _wait_states(first),
        "requests": _requests(devices),
        "pins": pins,
    }


def all_facts() -> dict[str, Json]:
    """By line."""
    import modm_devices  # a tool of its own environment
    from modm_devices.parser import DeviceParser

    by_line: dict[str, list[Any]] = defaultdict(list)
    for file in sorted(Path(modm_devices.__file__).parent.rglob("stm32f4-*.xml")):
        for device in DeviceParser().parse(file).get_devices():
            line = device.partname[: len("stm32f407")]
            if line in LINES:
                by_line[line].append(device)
    return {line: facts_of(line, devices) for line, devices in by_line.items()}


def main() -> int:
    """Write the facts, or with --check say which differ."""
    differing = []
    for line, facts in all_facts().items():
        path = FACTS / f"{line}.json"
        text = json.dumps(facts, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            differing.append(path.name)
    print(*differing, sep="\n", end="\n" if differing else "")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())

"""Keywords about what hangs on the board: displays, LEDs, buttons, a servo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boardless.running.part_pictures import parts_of, picture_of, png_of, state_of
from boardless.suites.keywords.area import Area, board_keyword
from boardless_sim.errors import BoardlessError
from boardless_sim.files import require_regular, write_file
from boardless_sim.parts.switches import Button

_MOST_BYTES = 16 << 20


class PartKeywords(Area):
    """Parts of `[[attach]]`, by the name of their device; a second one of a kind is "led 2"."""

    @board_keyword
    def get_part(self, name: str) -> object:
        """The part itself, for its attributes.

        | ${lcd} = | Get Part | ili9341 |
        | Should Be True | ${lcd.on} |
        """
        parts = parts_of(self.rig.engine)
        if name not in parts:
            known = ", ".join(parts) or "none, see [[attach]] in boardless.toml"
            raise BoardlessError(f"part {name!r}, expected one of {known}")
        return parts[name]

    @board_keyword
    def part_should_be(self, name: str, attribute: str, expected: str) -> None:
        """An attribute of a part, as text: ``lit`` of an LED, ``angle`` of a servo.

        | Part Should Be | led | lit | True |
        | Part Should Be | servo | angle | 90.0 |
        """
        state = state_of(self.get_part(name))
        if attribute not in state:
            raise BoardlessError(
                f"part {name!r}: no {attribute!r}, expected one of {', '.join(state)}"
            )
        found = str(state[attribute])
        if found.lower() != expected.lower():
            raise AssertionError(f"{attribute} of {name} is {found}, expected {expected}")

    @board_keyword
    def press_button(self, name: str = "button") -> None:
        """Down, until it is released.

        | Press Button |
        """
        self._button(name).press()

    @board_keyword
    def release_button(self, name: str = "button") -> None:
        """Up.

        | Release Button |
        """
        self._button(name).release()

    def _button(self, name: str) -> Button:
        part = self.get_part(name)
        if not isinstance(part, Button):
            raise BoardlessError(f"part {name!r} is no button, expected one")
        return part

    @board_keyword
    def save_display(self, name: str, path: Path) -> None:
        """What a display shows now, as a PNG.

        | Save Display | ili9341 | ${OUTPUT DIR}/screen.png |
        """
        write_file(path, png_of(picture_of(name, self.get_part(name))))

    @board_keyword
    def display_should_show(self, name: str, picture: Path, tolerance: int = 8) -> None:
        """Every pixel of a display is that of a picture, give or take ``tolerance`` of 255.

        | Display Should Show | ili9341 | screens/start.png |
        """
        from PIL import Image

        require_regular(picture, "a picture", BoardlessError, _MOST_BYTES)
        found = picture_of(name, self.get_part(name)).astype(int)
        with Image.open(picture) as image:
            expected = np.asarray(image.convert("RGB")).astype(int)
        if found.shape != expected.shape:
            sizes = [f"{width}x{height}" for height, width, _ in (found.shape, expected.shape)]
            raise AssertionError(f"{name} shows {sizes[0]} pixels, {picture} has {sizes[1]}")
        wrong = (np.abs(found - expected) > tolerance).any(axis=2)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise AssertionError(
                f"{name} differs from {picture} in {wrong.sum()} pixels, first at column {column}, "
                f"row {row}: shows {found[row, column].tolist()}, "
                f"expected {expected[row, column].tolist()}"
            )

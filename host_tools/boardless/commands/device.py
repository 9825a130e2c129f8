"""`boardless device`: what the command device is given: its key and its animations."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.options import PATH, Whole
from boardless_sim.files import write_text


@click.group("device")
def command() -> None:
    """Prepare a device of firmware/apps/command: its key, its animations."""


@command.command("key")
@click.argument("file", type=PATH)
@click.option(
    "--hex",
    "hex_path",
    type=PATH,
    metavar="FILE",
    help="For a programmer: Intel HEX, into the OTP.",
)
def key_command(file: Path, hex_path: Path | None) -> int:
    """Make a new key in FILE, readable by its owner only.

    The device holds it in block 0 of its one-time programmable area: it can be written once. The
    gateway is given FILE.
    """
    from boardless.gateway.device_board import BOARD
    from boardless.gateway.intel_hex import intel_hex
    from boardless.gateway.packets import new_key, save_key, save_secret

    key = new_key()
    save_key(file, key)
    if hex_path is not None:
        # firmware/apps/command/key.c reads block 0.
        save_secret(hex_path, intel_hex(BOARD.chip.otp, key))
    click.echo(f"{file}: a new key")
    return 0


@command.command("animation")
@click.argument("pictures", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, required=True, metavar="FILE", help="The C source to write.")
@click.option(
    "--frame-ms",
    type=Whole(1, 0xFFFF),
    default=100,
    show_default=True,
    metavar="MS",
    help="Of a folder of pictures; a GIF has its own.",
)
def animation_command(pictures: tuple[Path, ...], out: Path, frame_ms: int) -> int:
    """Turn PICTURES of 16x16 or 32x32 into the firmware's table of animations.

    Each is a PNG, a GIF or a folder of PNGs, named by its number: 5_jump.gif. Number 255 is shown
    in safe mode.
    """
    from boardless.gateway.animation import c_source, load_animation

    animations = [load_animation(path, frame_ms) for path in pictures]
    write_text(out, c_source(animations))
    for each in sorted(animations, key=lambda animation: animation.number):
        plain = sum(map(len, each.frames))
        click.echo(
            f"{each.number:3}  {each.name:<12} {each.side}x{each.side}  {len(each.frames):3} "
            f"frames of {each.frame_ms} ms  {len(each.coded)} of {plain} bytes"
        )
    return 0

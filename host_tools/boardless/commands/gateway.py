"""`boardless gateway`: a video becomes events, events become signed commands to a device."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH
from boardless_sim.errors import BoardlessError

if TYPE_CHECKING:
    from boardless.gateway.carrier import Carrier
    from boardless.gateway.run import GatewayOutcome, Pace
    from boardless.gateway.sender import Statistics

_MQTT_PORT, _MQTT_TLS_PORT = 1883, 8883


@click.command("gateway")
@click.argument("source")
@click.option("--mapping", type=PATH, metavar="FILE", help="Which event leads to which command.")
@click.option("--key", "key_path", type=PATH, metavar="FILE", help="Of `boardless device key`.")
@click.option("--serial", "port", metavar="PORT", help="A serial port, as /dev/ttyUSB0.")
@click.option(
    "--mqtt", metavar="HOST[:PORT]/TOPIC", help="A broker; credentials: BOARDLESS_MQTT_*."
)
@click.option("--board", type=PATH, metavar="ELF", help="The device on the virtual board.")
@click.option("--dry-run", is_flag=True, help="Events only: no device.")
@click.option("--time-line", type=PATH, metavar="FILE", help="Draw the events, as PNG.")
@click.option("--display", type=PATH, metavar="FILE", help="With --board: its display, as GIF.")
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write it all as JSON.")
def command(
    source: str,
    mapping: Path | None,
    key_path: Path | None,
    port: str | None,
    mqtt: str | None,
    board: Path | None,
    dry_run: bool,
    time_line: Path | None,
    display: Path | None,
    json_path: Path | None,
) -> int:
    """Watch SOURCE (a video, a folder of frames, /dev/video0, a stream's URL) and act on it.

    Exit 0: it was read to its end and every command was acknowledged. 1: a command was lost or
    refused, or the scene could not be read. 2: no run: broken video, no such port, bad mapping.
    """
    from boardless.gateway.run import watch
    from boardless.gateway.video import open_video
    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless.report.gateway import draw_time_line, gateway_document, gateway_tables
    from boardless_sim.files import require_writable

    ways = sum((port is not None, mqtt is not None, board is not None, dry_run))
    if ways != 1:
        raise click.UsageError("expected one of --serial, --mqtt, --board, --dry-run")
    for path in (time_line, display, json_path):
        if path is not None:
            require_writable(path)
    statistics = None
    if dry_run:
        outcome = watch(open_video(source))
    else:
        outcome, statistics = _drive(source, mapping, key_path, port, mqtt, board, display)
    if json_path is not None:
        write_json(json_path, gateway_document(outcome, statistics))
    if time_line is not None:
        draw_time_line(outcome, time_line)
    console().print(gateway_tables(outcome, statistics))
    failed = bool(outcome.unsuited)
    if statistics is not None:
        failed = failed or statistics.lost + statistics.refused > 0
    return ExitCode.FAILED if failed else ExitCode.PASSED


def _drive(
    source: str,
    mapping: Path | None,
    key_path: Path | None,
    port: str | None,
    mqtt: str | None,
    board: Path | None,
    display: Path | None,
) -> tuple[GatewayOutcome, Statistics]:
    from boardless.gateway.carrier import MqttCarrier, SerialCarrier
    from boardless.gateway.mapping import load_mapping
    from boardless.gateway.packets import load_key
    from boardless.gateway.run import BoardPace, WallPace, drive
    from boardless.gateway.sender import Sender
    from boardless.gateway.video import open_video

    if mapping is None or key_path is None:
        raise click.UsageError("expected --mapping and --key, or --dry-run")
    reactions, key = load_mapping(mapping), load_key(key_path)
    pace: Pace = WallPace()
    carrier: Carrier
    device = None
    if board is not None:
        from boardless.gateway.device_board import DeviceBoard

        carrier = device = DeviceBoard(board, key)
        device.run_us(100_000)
        pace = BoardPace(device.run_us, device.time_us)
    elif port is not None:
        carrier = SerialCarrier(port)
    else:
        carrier = MqttCarrier(*_broker(mqtt or ""))
    with closing(carrier):
        if device is None:
            carrier.open()  # a port that is not there is no run; one that goes away comes back
        # A fresh device of its own has a fresh counter.
        counter_file = key_path.with_suffix(".board-counter" if device else ".counter")
        sender = Sender(carrier, key, reactions, counter_file)
        outcome = drive(open_video(source), sender, reactions, pace)
        if display is not None and device is not None:
            from boardless.gateway.display_gif import write_gif

            write_gif(display, device.display.drawings)
    return outcome, sender.statistics


def _broker(text: str) -> tuple[str, int, str]:
    import os

    address, slash, topic = text.partition("/")
    host, colon, port = address.partition(":")
    default = _MQTT_TLS_PORT if "BOARDLESS_MQTT_CA" in os.environ else _MQTT_PORT
    if not host or not slash or not topic or (colon and not port.isdecimal()):
        raise BoardlessError(f"--mqtt {text}: expected HOST[:PORT]/TOPIC, as broker.local/door")
    return host, int(port) if port else default, topic

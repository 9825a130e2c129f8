"""What takes packets to the device and brings its lines back: a serial port or MQTT.

Nothing here blocks for longer than it takes to hand bytes over. A carrier that is lost raises
`CarrierLost`; `open` is called again until it is there.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any, Protocol

from boardless_sim.errors import BoardlessError, ConfigError

BAUD = 115_200


class CarrierLost(BoardlessError):
    """The port or the broker is gone; it may come back."""


class Carrier(Protocol):
    """The seam: the virtual board is one too."""

    def open(self) -> None:
        """Connect, again where it was lost. Raises `CarrierLost`."""

    def write(self, data: bytes) -> None:
        """Hand bytes over. Raises `CarrierLost`."""

    def lines(self) -> list[str]:
        """What the device has said since. Raises `CarrierLost`."""

    def close(self) -> None:
        """Let go. Harmless twice."""


class SerialCarrier:
    """A port of pyserial, such as /dev/ttyUSB0."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._serial: Any = None
        self._partial = bytearray()

    def open(self) -> None:
        serial = _import("serial", "pyserial")
        self.close()
        try:
            self._serial = serial.serial_for_url(self._port, BAUD, timeout=0, write_timeout=1)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise CarrierLost(f"{self._port}: {error}, expected a serial port") from error

    def write(self, data: bytes) -> None:
        try:
            self._opened().write(data)
        except OSError as error:
            raise CarrierLost(f"{self._port}: {error}, expected a serial port") from error

    def lines(self) -> list[str]:
        try:
            self._partial += self._opened().read(4096)
        except OSError as error:
            raise CarrierLost(f"{self._port}: {error}, expected a serial port") from error
        *whole, rest = self._partial.split(b"\n")
        self._partial = bytearray(rest[-4096:])
        return [line.decode("ascii", "backslashreplace").rstrip("\r") for line in whole]

    def close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    def _opened(self) -> Any:
        if self._serial is None:
            raise CarrierLost(f"{self._port}: not open, expected an open port")
        return self._serial


class MqttCarrier:
    """A broker: packets go to TOPIC/command, lines come from TOPIC/line.

    Credentials and the CA's file come from the environment: BOARDLESS_MQTT_USER,
    BOARDLESS_MQTT_PASSWORD, BOARDLESS_MQTT_CA (which turns TLS on).
    """

    def __init__(self, host: str, port: int, topic: str) -> None:
        self._where = f"mqtt://{host}:{port}/{topic}"
        self._host, self._port, self._topic = host, port, topic
        self._client: Any = None
        self._arrived: deque[str] = deque()
        self._refused = ""

    def open(self) -> None:
        """Connect, subscribe again (a broker forgets), and wait for its word."""
        mqtt = _import("paho.mqtt.client", "paho-mqtt")
        self.close()
        self._refused = ""
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._authenticate(client)
        client.on_connect = self._connected
        client.on_message = self._message
        client.reconnect_delay_set(1, 5)
        try:
            client.connect(self._host, self._port, keepalive=10)
        except (OSError, ValueError) as error:
            raise CarrierLost(f"{self._where}: {error}, expected an MQTT broker") from error
        client.loop_start()
        self._client = client

    def _authenticate(self, client: Any) -> None:
        user = os.environ.get("BOARDLESS_MQTT_USER")
        ca = os.environ.get("BOARDLESS_MQTT_CA")
        if user is not None:
            client.username_pw_set(user, os.environ.get("BOARDLESS_MQTT_PASSWORD"))
        if ca is not None:
            try:
                client.tls_set(ca_certs=ca)
            except OSError as error:
                raise ConfigError(f"BOARDLESS_MQTT_CA={ca}: {error}, expected a file") from error

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._refused = str(reason)
        else:
            client.subscribe(f"{self._topic}/line", qos=1)

    def _message(self, _client: Any, _data: Any, message: Any) -> None:
        self._arrived.extend(message.payload.decode("ascii", "backslashreplace").splitlines())

    def write(self, data: bytes) -> None:
        client = self._opened()
        if client.publish(f"{self._topic}/command", data, qos=1).rc:
            raise CarrierLost(f"{self._where}: not connected, expected an MQTT broker")

    def lines(self) -> list[str]:
        self._opened()
        return [self._arrived.popleft() for _ in range(len(self._arrived))]

    def close(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _opened(self) -> Any:
        if self._refused:
            raise ConfigError(f"{self._where}: {self._refused}, expected valid credentials")
        if self._client is None:
            raise CarrierLost(f"{self._where}: not open, expected an MQTT broker")
        return self._client


def _import(module: str, package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise BoardlessError(f"needs {package}: pip install 'boardless[gateway]'") from error

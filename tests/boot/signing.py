"""Keys and signed images, as imgtool makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEADER = 0x200


def imgtool(*arguments: str) -> str:
    command = [sys.executable, "-m", "imgtool.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_key(folder: Path, name: str = "boot") -> Path:
    key = folder / f"{name}.pem"
    imgtool("keygen", "-k", str(key), "-t", "ed25519")
    return key


def public_key(key: Path) -> bytes:
    """44 bytes of DER."""
    text = imgtool("getpub", "-k", str(key), "-e", "lang-c")
    numbers = text.split("{")[1].split("}")[0].split(",")
    return bytes(int(number, 16) for number in numbers if number.strip())


def sign(
    key: Path,
    body: bytes,
    slot_bytes: int,
    version: str = "1.2.3",
    counter: int = 1,
    confirmed: bool = True,
) -> bytes:
    """A whole slot: header, body, TLVs, and MCUboot's flags at its end."""
    given, signed = key.with_name("body.bin"), key.with_name("signed.bin")
    given.write_bytes(body)
    imgtool(
        *("sign", "-k", str(key), "--align", "8", "--header-size", hex(HEADER), "--pad-header"),
        *("--slot-size", hex(slot_bytes), "--version", version, "--pad"),
        *("--security-counter", str(counter), *(["--confirm"] if confirmed else [])),
        *(str(given), str(signed)),
    )
    return signed.read_bytes()

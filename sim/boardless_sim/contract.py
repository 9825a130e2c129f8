"""What this harness believes of a firmware: its symbols, how it writes results, its stages.

The defaults are those of the reference firmware; `boardless.toml` says otherwise for another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from boardless_sim.result import InferenceResult, ResultPattern, is_result, parse_result


@dataclass(frozen=True)
class Symbols:
    """Names in the firmware's symbol table. What an ELF lacks of them is not asked of it."""

    mailbox: str = "frame_mailbox"  # frames through memory: apps/classifier/frame_mailbox.h
    wants_frame: str = "frame_capture_wait"  # takes what is in the mailbox
    stop: str = "cpu_stop"  # where a firmware stays that can do nothing more
    infer: str = "nn_run"  # the network alone
    layer: str = "nn_backend_run"  # nn/nn_backend.h
    layer_work: str = "nn_backend_work_bytes"
    layer_plain: str = "nn_plain_run"  # chooses a kernel, as `layer` does
    model_hash: str = "model_hash"  # the digest of the artifact that was built in


def _reference_stages() -> Mapping[str, str]:
    """In the order of apps/classifier/main.c."""
    return {
        "capture wait": "frame_capture_wait",
        "preprocess": "preprocess_run",
        "infer": "nn_run",
        "print": "result_print",
    }


@dataclass(frozen=True)
class Contract:
    """One firmware's. `port`: where its results come, None for any; `result`: None for `r-` lines.

    `stages`: the parts of a frame by the function that does each. The prefixes of layers, dumps and
    checks are those of the programs that `boardless compare` runs.
    """

    port: str | None = None
    baud: int | None = None
    result: ResultPattern | None = None
    classes: tuple[str, ...] = ()
    error_prefix: str = "e-"
    symbols: Symbols = Symbols()
    stages: Mapping[str, str] = field(default_factory=_reference_stages)
    layer_prefix: str = "l-"
    dump_prefix: str = "d-"
    check_prefix: str = "t-"

    def hears(self, port: str) -> bool:
        """Whether results come on a port; "rtt" and "itm" are those of every channel."""
        return self.port is None or port == self.port or port.rstrip("0123456789") == self.port

    def is_result(self, port: str, text: str) -> bool:
        """Whether a line of that port carries a result."""
        if not self.hears(port):
            return False
        return is_result(text) if self.result is None else self.result.is_result(text)

    def parse_result(self, text: str, before: Sequence[str] = ()) -> InferenceResult:
        """Read a line that carries one, and what the lines `before` say. Raises `ResultError`."""
        if self.result is None:
            return parse_result(text)
        return self.result.parse(text, self.classes, before)

    def is_error(self, text: str) -> bool:
        """Whether the firmware complains in this line."""
        return text.startswith(self.error_prefix)


REFERENCE = Contract()  # the reference firmware's

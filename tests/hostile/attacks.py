"""Firmware that attacks: each is a few instructions after reset, in the words of the assembler."""

from __future__ import annotations

import subprocess
from pathlib import Path

# The vectors: the stack's top, reset, and for every other exception and interrupt one handler.
_FRAME = """
.syntax unified
.cpu cortex-m4
.thumb
.section .text
.word {stack}
.word {reset}
.rept 110
.word handler + 1
.endr
.thumb_func
reset:
{body}
stay:
    b stay
.thumb_func
handler:
{handler}
    bx lr
.ltorg
.balign 4
{data}
"""


def _store(*pairs: tuple[int, int]) -> str:
    """Words to addresses, one after the other."""
    return "".join(
        f"    ldr r0, ={at:#x}\n    ldr r1, ={word:#x}\n    str r1, [r0]\n" for at, word in pairs
    )


def _loop(body: str) -> str:
    return f"again:\n{body}    b again\n"


def _semihosting(number: int, parameter: int) -> str:
    """A call of the debugger's (Arm IHI0029): r0 the number, r1 the block."""
    return f"    movs r0, #{number}\n    ldr r1, ={parameter:#x}\n    bkpt 0xab\n"


_ENABLE_ALL = _store(*((0xE000E100 + 4 * word, 0xFFFFFFFF) for word in range(3)))
_CLOCKS = _store((0x40023830, 0x7E7411FF), (0x40023840, 0x36FEC9FF), (0x40023844, 0x00075F33))
_TIMERS = (0x40000000, 0x40000400, 0x40000800, 0x40000C00, 0x40001000, 0x40001400, 0x40010000)
_EXIT = 0xE000ED0C  # AIRCR
_AIRCR_RESET = 0x05FA0004
_DMA2_STREAM0, _DMA2_STREAM0_RAM = 0x40026410, 0x20001000
_CALLS = (*range(0x01, 0x14), 0x15, 0x16, 0x18, 0x20, 0x30, 0x31)

BODIES: dict[str, str] = {
    **{f"semihosting_{number:02x}": _loop(_semihosting(number, 0xFFFFFFF0)) for number in _CALLS},
    "semihosting_flood": _loop(_semihosting(4, 0x08000000)),
    "reset_loop": _store((_EXIT, _AIRCR_RESET)),
    "sleep_for_ever": "    cpsid i\n" + _loop("    wfi\n"),
    "sleep_for_an_event": _loop("    wfe\n"),
    "stop_mode": _store((0xE000ED10, 4)) + _loop("    wfi\n"),
    "systick_storm": _store((0xE000E014, 1), (0xE000E018, 0), (0xE000E010, 7)),
    "pend_everything": _ENABLE_ALL
    + _loop(_store(*((0xE000E200 + 4 * word, 0xFFFFFFFF) for word in range(3)))),
    "every_timer": _CLOCKS
    + _ENABLE_ALL
    + "".join(_store((t + 0x28, 0), (t + 0x2C, 1), (t + 0x0C, 0xFFFF), (t, 1)) for t in _TIMERS),
    "dma_into_itself": _CLOCKS
    + _store(
        (_DMA2_STREAM0 + 4, 0xFFFF),
        (_DMA2_STREAM0 + 8, 0x08000000),
        (_DMA2_STREAM0 + 12, _DMA2_STREAM0),
        (_DMA2_STREAM0, 0x00000481),
    ),
    "dma_into_the_stack": _CLOCKS
    + _store(
        (_DMA2_STREAM0 + 4, 0xFFFF),
        (_DMA2_STREAM0 + 8, 0x08000000),
        (_DMA2_STREAM0 + 12, 0x2001F000),
        (_DMA2_STREAM0, 0x00000681),
    ),
    "dma_from_nowhere": _CLOCKS
    + _store(
        (_DMA2_STREAM0 + 4, 16),
        (_DMA2_STREAM0 + 8, 0xE000E000),
        (_DMA2_STREAM0 + 12, 0xFFFFFFF0),
        (_DMA2_STREAM0, 0x00000681),
    ),
    "self_modifying": _store((0x20000000, 0xE7FE3001)) + "    ldr r2, =0x20000001\n    bx r2\n",
    "code_that_changes_itself": _store((0x20000000, 0xE7FCBF00))
    + "    ldr r3, =0x20000000\n    ldr r2, =0x20000001\n"
    + _loop("    eor r1, r1, #0x100\n    str r1, [r3]\n"),
    "wild_stack": "    ldr r0, =0xfffffff0\n    mov sp, r0\n    push {r0-r7}\n",
    "stack_in_peripherals": "    ldr r0, =0x40023800\n    mov sp, r0\n    push {r0-r7}\n",
    "stack_at_zero": "    movs r0, #0\n    mov sp, r0\n    push {r0-r7}\n    svc 0\n",
    "wild_vtor": _store((0xE000ED08, 0xFFFFFF80)) + "    svc 0\n",
    "vtor_in_ram": _store((0xE000ED08, 0x20010000)) + "    svc 0\n",
    "wild_exc_return": "    ldr r0, =0xffffffff\n    bx r0\n",
    "exc_return_from_a_thread": "    ldr r0, =0xfffffff9\n    bx r0\n",
    "jump_to_nowhere": "    ldr r0, =0xdeadbeef\n    bx r0\n",
    "jump_to_arm_code": "    ldr r0, =0x08000200\n    bx r0\n",
    "undefined": "    udf #0\n",
    "lockup": "    cpsid f\n    udf #0\n",
    "breakpoint": "    bkpt 0\n",
    "svc_in_a_loop": _loop("    svc 0\n"),
    "endless_push": _loop("    push {r0-r7}\n"),
    "walk_the_address_space": "    movs r0, #0\n" + _loop("    ldr r1, [r0]\n    adds r0, #64\n"),
    "write_the_address_space": "    ldr r0, =0x40000000\n"
    + _loop("    str r0, [r0]\n    adds r0, #4\n"),
    "write_flash": "    ldr r0, =0x08000000\n" + _loop("    str r0, [r0]\n    adds r0, #4\n"),
    "erase_flash": _store(
        (0x40023C04, 0x45670123), (0x40023C04, 0xCDEF89AB), (0x40023C10, 0x10004)
    ),
    "watchdog": _store(
        (0x40003000, 0x5555), (0x40003004, 0), (0x40003008, 0), (0x40003000, 0xCCCC)
    ),
    "clocks_off": _store((0x40023800, 0), (0x40023808, 2)),
    "every_fault_enabled": _store((0xE000ED24, 0x70000), (0xE000ED14, 0x18))
    + "    sdiv r0, r0, r1\n",
    "mpu_denies_all": _store((0xE000ED94, 1)),
    "bit_band_storm": "    ldr r0, =0x42000000\n" + _loop("    str r0, [r0]\n    adds r0, #4\n"),
    "uart_flood": _CLOCKS
    + _store(
        (0x40020000, 0xA80002A0), (0x40020020, 0x77777777), (0x40011008, 1), (0x4001100C, 0x200C)
    )
    + _loop(_store((0x40011004, 0x0A))),
}
HANDLERS: dict[str, str] = {
    "reset_in_the_handler": _store((_EXIT, _AIRCR_RESET)),
    "fault_in_the_handler": "    udf #0\n",
    "pends_itself": _store((0xE000ED04, 0x10000000)),
}
# SP, reset vector: what a damaged table of vectors holds.
VECTORS = {
    "stack_of_ones": ("0xffffffff", "reset + 1"),
    "stack_of_zero": ("0", "reset + 1"),
    "reset_of_zero": ("0x20020000", "0"),
    "reset_of_ones": ("0x20020000", "0xffffffff"),
    "reset_in_ram": ("0x20020000", "0x20000001"),
}


def sources() -> dict[str, str]:
    """Every attack's assembler text by its name."""
    plain = {"stack": "0x20020000", "reset": "reset + 1", "handler": "", "data": ""}
    texts = {name: _FRAME.format(**plain, body=body) for name, body in BODIES.items()}
    for name, handler in HANDLERS.items():
        texts[name] = _FRAME.format(**{**plain, "handler": handler}, body="    svc 0\n")
    for name, (stack, reset) in VECTORS.items():
        texts[name] = _FRAME.format(**{**plain, "stack": stack, "reset": reset}, body="")
    return texts


def assemble(name: str, folder: Path) -> Path:
    """The attack as an ELF in the Flash."""
    source, elf = folder / f"{name}.S", folder / f"{name}.elf"
    source.write_text(sources()[name])
    options = ["-mcpu=cortex-m4", "-mthumb", "-nostdlib", "-Wl,-Ttext=0x08000000", "-Wl,-e,reset"]
    subprocess.run(["arm-none-eabi-gcc", *options, str(source), "-o", str(elf)], check=True)
    return elf

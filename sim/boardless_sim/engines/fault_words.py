"""The fault status registers in words (DDI 0403E, B3.2.15 CFSR and B3.2.16 HFSR)."""

from __future__ import annotations

_CFSR = {
    0: "instruction fetched where nothing may run (IACCVIOL)",
    1: "data access that the MPU forbids (DACCVIOL)",
    3: "exception return could not read the stack, by the MPU (MUNSTKERR)",
    4: "exception entry could not write the stack, by the MPU (MSTKERR)",
    5: "FPU state could not be saved, by the MPU (MLSPERR)",
    8: "instruction fetched where no memory is (IBUSERR)",
    9: "data access where nothing answers (PRECISERR)",
    10: "an earlier write went where nothing answers (IMPRECISERR)",
    11: "exception return could not read the stack (UNSTKERR)",
    12: "exception entry could not write the stack (STKERR)",
    13: "FPU state could not be saved (LSPERR)",
    16: "undefined instruction (UNDEFINSTR)",
    17: "call or branch to an address without the Thumb bit (INVSTATE)",
    18: "exception return with a value that is none (INVPC)",
    19: "FPU instruction while the FPU is off (NOCP)",
    24: "access at an address that is not aligned (UNALIGNED)",
    25: "division by zero (DIVBYZERO)",
}
_HFSR = {
    1: "the vector table could not be read (VECTTBL)",
    31: "breakpoint without a debugger (DEBUGEVT)",
}


def in_words(cfsr: int, hfsr: int) -> str:
    """What the set bits mean; empty where none is set. FORCED says no more than its cause does."""
    found = [text for bit, text in _CFSR.items() if cfsr >> bit & 1]
    found += [text for bit, text in _HFSR.items() if hfsr >> bit & 1]
    return ", ".join(found)

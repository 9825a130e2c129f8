"""Names that the core's manual gives: exceptions, and registers that are not modelled whole."""

from __future__ import annotations

# DDI 0403E, B1.5.2.
EXCEPTION_NAMES = {
    2: "NMI",
    3: "HardFault",
    4: "MemManage",
    5: "BusFault",
    6: "UsageFault",
    11: "SVCall",
    12: "DebugMonitor",
    14: "PendSV",
    15: "SysTick",
}

# Of the private peripheral bus, those that the core does not model, or only in part.
CORE_REGISTERS = {
    0xE000_0E00: "ITM_TER",
    0xE000_0E40: "ITM_TPR",
    0xE000_0E80: "ITM_TCR",
    0xE000_0FB0: "ITM_LAR",
    0xE000_1000: "DWT_CTRL",
    0xE000_1FB0: "DWT_LAR",
    0xE000_2000: "FP_CTRL",
    0xE000_ED10: "SCB_SCR (SEVONPEND)",
    0xE000_EDF0: "DCB_DHCSR",
    0xE000_EF3C: "FPU_FPDSCR",
    0xE004_0000: "TPIU_SSPSR",
    0xE004_0004: "TPIU_CSPSR",
    0xE004_0010: "TPIU_ACPR",
    0xE004_00F0: "TPIU_SPPR",
    0xE004_0304: "TPIU_FFCR",
    0xE004_2008: "DBGMCU_APB1_FZ",
    0xE004_200C: "DBGMCU_APB2_FZ",
    **{0xE000_0000 + 4 * port: f"ITM_STIM{port}" for port in range(32)},
}

"""OTG_FS and OTG_HS: the registers of a port that no cable is in (RM0090 chapters 34 and 35).

As a device it waits for a host that never comes; as a host it waits for a device. What software
does alone (core reset, flushing, endpoints, modes) is done and acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

GOTGCTL, GAHBCFG, GUSBCFG, GRSTCTL = 0x000, 0x008, 0x00C, 0x010
GINTSTS, GINTMSK, GRXSTSR, GRXSTSP, GCCFG, CID = 0x014, 0x018, 0x01C, 0x020, 0x038, 0x03C
HFNUM, HPRT, DCFG, DCTL, DSTS, DAINT = 0x408, 0x440, 0x800, 0x804, 0x808, 0x818
GAHBCFG_GINTMSK = 1 << 0
GUSBCFG_FHMOD, GUSBCFG_FDMOD = 1 << 29, 1 << 30
GRSTCTL_AHBIDL, _RESETS_ITSELF = 1 << 31, 0x3F  # CSRST, HSRST, FCRST, RXFFLSH, TXFFLSH
GINTSTS_CMOD, GINTSTS_NPTXFE, GINTSTS_PTXFE = 1 << 0, 1 << 5, 1 << 26
_GINTSTS_CLEARED_BY_ONE = 0xF030_FC0A
EPCTL_SNAK, EPCTL_CNAK, EPCTL_USBAEP = 1 << 27, 1 << 26, 1 << 15
EPCTL_EPDIS, EPCTL_EPENA, EPCTL_NAKSTS = 1 << 30, 1 << 31, 1 << 17
EPINT_EPDISD = 1 << 1
IN, OUT, ENDPOINT = 0x900, 0xB00, 0x20
_CTL, _INT, _TSIZ, _FSTS = 0x00, 0x08, 0x10, 0x18
_FIFO_WORDS = 0x200


def _endpoints(count: int) -> dict[int, Register]:
    layout: dict[int, Register] = {}
    for number in range(count):
        at = ENDPOINT * number
        active = EPCTL_USBAEP if number == 0 else 0
        for base, kind in ((IN, "DIEP"), (OUT, "DOEP")):
            layout |= {
                base + at + _CTL: Register(f"{kind}CTL{number}", active, 0x3BFF_FFFF),
                base + at + _INT: Register(f"{kind}INT{number}", 0x80 if base == IN else 0, 0),
                base + at + _TSIZ: Register(f"{kind}TSIZ{number}"),
                base + at + 0x14: Register(f"{kind}DMA{number}"),
            }
        layout[IN + at + _FSTS] = Register(f"DTXFSTS{number}", _FIFO_WORDS, 0)
    return layout


def _channels(count: int) -> dict[int, Register]:
    names = {0: "HCCHAR", 4: "HCSPLT", 8: "HCINT", 0xC: "HCINTMSK", 0x10: "HCTSIZ", 0x14: "HCDMA"}
    return {
        0x500 + 0x20 * number + at: Register(f"{name}{number}")
        for number in range(count)
        for at, name in names.items()
    }


class Otg(AhbPeripheral):
    """One controller with its endpoints and channels. No interrupt but software's own comes."""

    size = 0x4_0000
    layout: ClassVar[Mapping[int, Register]] = {
        GOTGCTL: Register("GOTGCTL", 0x0001_0000, 0xF02), 0x004: Register("GOTGINT", 0, 0),
        GAHBCFG: Register("GAHBCFG", 0, 0x1FF), GUSBCFG: Register("GUSBCFG", 0x0A00, 0xE7FF_FFFF),
        GRSTCTL: Register("GRSTCTL", GRSTCTL_AHBIDL, 0x7C0),
        GINTSTS: Register("GINTSTS", GINTSTS_NPTXFE | GINTSTS_PTXFE, 0),
        GINTMSK: Register("GINTMSK"), GRXSTSR: Register("GRXSTSR", 0, 0),
        GRXSTSP: Register("GRXSTSP", 0, 0), 0x024: Register("GRXFSIZ", _FIFO_WORDS, 0xFFFF),
        0x028: Register("DIEPTXF0", _FIFO_WORDS), 0x02C: Register("GNPTXSTS", 0x0008_0200, 0),
        GCCFG: Register("GCCFG", 0, 0x003F_0000), CID: Register("CID", 0x1200),
        0x100: Register("HPTXFSIZ", 0x0200_0600),
        **{0x100 + 4 * n: Register(f"DIEPTXF{n}", 0x0200_0400) for n in range(1, 8)},
        0x400: Register("HCFG", 0, 0x7), 0x404: Register("HFIR", 0xEA60, 0xFFFF),
        HFNUM: Register("HFNUM", 0x3FFF, 0), 0x410: Register("HPTXSTS", 0x0008_0100, 0),
        0x414: Register("HAINT", 0, 0), 0x418: Register("HAINTMSK", 0, 0xFFFF),
        HPRT: Register("HPRT", 0, 0x0001_F140),
        DCFG: Register("DCFG", 0x0220_0000, 0x0300_1FF7), DCTL: Register("DCTL", 0, 0xE7B),
        DSTS: Register("DSTS", 0x10, 0), 0x810: Register("DIEPMSK"), 0x814: Register("DOEPMSK"),
        DAINT: Register("DAINT", 0, 0), 0x81C: Register("DAINTMSK"),
        0x828: Register("DVBUSDIS", 0x17D7, 0xFFFF), 0x82C: Register("DVBUSPULSE", 0x5B8, 0xFFF),
        0x830: Register("DTHRCTL"), 0x834: Register("DIEPEMPMSK", 0, 0xFFFF),
        0x838: Register("DEACHINT", 0, 0), 0x83C: Register("DEACHINTMSK"),
        0xE00: Register("PCGCCTL", 0, 0x13),
        **_endpoints(6), **_channels(12),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        super().__init__(name)

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._line.drive(False)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts; a FIFO takes what is never sent."""
        if offset >= 0x1000:
            return
        if offset == GRSTCTL:
            self._write_reset(value)
        elif offset == GINTSTS:
            self.values[GINTSTS] &= ~(value & _GINTSTS_CLEARED_BY_ONE)
        elif IN <= offset < OUT + 6 * ENDPOINT and offset in self.layout:
            self._write_endpoint(offset, value)
        else:
            self.store(offset, value)
        if offset == GUSBCFG:
            self._choose_mode()
        self._update_irq()

    def read_word(self, offset: int) -> int:
        """A register; a FIFO is empty."""
        return 0 if offset >= 0x1000 else super().read_word(offset)

    def _write_reset(self, value: int) -> None:
        """A core reset takes the device's registers along (section 34.16.2, CSRST)."""
        if value & 1:
            kept = {at: self.values[at] for at in (GUSBCFG, GAHBCFG, GCCFG, GINTMSK, DCFG)}
            self.reset_values()
            self.values |= kept
            self._choose_mode()
        self.store(GRSTCTL, value & ~_RESETS_ITSELF)

    def _choose_mode(self) -> None:
        """Without a plug the ID pin is high: a device, unless a mode is forced."""
        host = self.values[GUSBCFG] & (GUSBCFG_FHMOD | GUSBCFG_FDMOD) == GUSBCFG_FHMOD
        status = self.values[GINTSTS] & ~GINTSTS_CMOD
        self.values[GINTSTS] = status | (GINTSTS_CMOD if host else 0)

    def _write_endpoint(self, offset: int, value: int) -> None:
        register = offset % ENDPOINT
        if register == _INT:
            self.values[offset] &= ~value
            return
        if register != _CTL:
            self.store(offset, value)
            return
        kept = self.values[offset] & (EPCTL_EPENA | EPCTL_NAKSTS)
        first = self.layout[offset].reset
        if value & EPCTL_SNAK:
            kept |= EPCTL_NAKSTS
        if value & EPCTL_CNAK:
            kept &= ~EPCTL_NAKSTS
        if value & EPCTL_EPENA and not value & EPCTL_EPDIS:
            kept |= EPCTL_EPENA
        elif value & EPCTL_EPDIS and kept & EPCTL_EPENA:
            kept &= ~EPCTL_EPENA
            self.values[offset + _INT] |= EPINT_EPDISD
        steady = value & 0x03FF_FFFF & ~EPCTL_NAKSTS & ~EPCTL_CNAK
        self.values[offset] = steady | kept | first

    def _update_irq(self) -> None:
        enabled = self.values[GAHBCFG] & GAHBCFG_GINTMSK
        asserted = self.values[GINTSTS] & self.values[GINTMSK]
        self._line.drive(bool(enabled and asserted))

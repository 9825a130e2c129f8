"""DAC: two voltages out, on a trigger or at once (RM0090 chapter 14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.analog.triggers import Triggered, TriggerSource
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CR, SWTRIGR, SR, DOR1, DOR2 = 0x00, 0x04, 0x34, 0x2C, 0x30
DHR12R1, DHR12L1, DHR8R1, DHR12R2, DHR12L2, DHR8R2 = 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
DHR12RD, DHR12LD, DHR8RD = 0x20, 0x24, 0x28
CR_EN, CR_BOFF, CR_TEN, CR_WAVE, CR_DMAEN, CR_DMAUDRIE = (
    1 << 0, 1 << 1, 1 << 2, 3 << 6, 1 << 12, 1 << 13,
)  # fmt: skip
SR_DMAUDR = 1 << 13  # of channel 1; channel 2 has everything 16 bits higher
FULL_SCALE = 0xFFF
_BY_SOFTWARE = 7
# By TSEL (table 76); 6 is line 9 of the EXTI.
_TRIGGERS = ("TIM6", "TIM8", "TIM7", "TIM5", "TIM2", "TIM4", None, None)
_NOISE_TAPS = (0, 1, 4, 6)  # of the 12-bit LFSR (figure 65)


class _Channel:
    """One converter: what it holds, and what it puts out."""

    def __init__(self) -> None:
        self.held = 0  # DHR, 12 bits
        self.noise = 0xAAA
        self.step, self.rising = 0, True
        self.waits_for_dma = False


class Dac(ApbPeripheral):
    """`on_output` is called with the channel, 1 or 2, whenever what it puts out changes."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, 0x3FFF_3FFF), SWTRIGR: Register("SWTRIGR", 0, 0),
        DHR12R1: Register("DHR12R1", 0, 0xFFF), DHR12L1: Register("DHR12L1", 0, 0xFFF0),
        DHR8R1: Register("DHR8R1", 0, 0xFF), DHR12R2: Register("DHR12R2", 0, 0xFFF),
        DHR12L2: Register("DHR12L2", 0, 0xFFF0), DHR8R2: Register("DHR8R2", 0, 0xFF),
        DHR12RD: Register("DHR12RD", 0, 0x0FFF_0FFF), DHR12LD: Register("DHR12LD", 0, 0xFFF0_FFF0),
        DHR8RD: Register("DHR8RD", 0, 0xFFFF), DOR1: Register("DOR1", 0, 0),
        DOR2: Register("DOR2", 0, 0), SR: Register("SR", 0, 0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self.triggers: Mapping[str, TriggerSource] = {}
        self._listening = (Triggered(), Triggered())
        super().__init__(name)
        self.on_output: Callable[[int], None] = lambda channel: None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._channels = (_Channel(), _Channel())
        for listening in self._listening:
            listening.stop()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._line.drive(False)

    def level(self, channel: int) -> float | None:
        """What channel 1 or 2 puts out, from 0 to 1 of VREF+; None while it is off."""
        if not self._bits(channel) & CR_EN:
            return None
        return self.values[DOR1 if channel == 1 else DOR2] / FULL_SCALE

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        self.store(offset, value)
        if offset == CR:
            self._follow_triggers()
        elif offset == SWTRIGR:
            for channel in (1, 2):
                chosen = self._bits(channel) >> 3 & 7
                if value & channel and chosen == _BY_SOFTWARE:
                    self._triggered(channel)
        elif offset == SR:
            self.values[SR] &= ~value
        elif DHR12R1 <= offset <= DHR8RD:
            self._hold(offset, self.values[offset])
        self._update_irq()

    def _bits(self, channel: int) -> int:
        return self.values[CR] >> (16 * (channel - 1)) & 0xFFFF

    def _follow_triggers(self) -> None:
        for channel, listening in zip((1, 2), self._listening, strict=True):
            bits = self._bits(channel)
            name = _TRIGGERS[bits >> 3 & 7]
            wanted = bits & (CR_EN | CR_TEN) == CR_EN | CR_TEN
            source = self.triggers.get(name) if name is not None and wanted else None
            listening.follow(
                source, "TRGO", self._triggered_1 if channel == 1 else self._triggered_2
            )
            if bits >> 3 & 7 == 6 and wanted:
                self.unmodelled_write(CR, self.values[CR])  # line 9 of the EXTI

    def _triggered_1(self) -> None:
        self._triggered(1)

    def _triggered_2(self) -> None:
        self._triggered(2)

    def _hold(self, offset: int, value: int) -> None:
        """What was written, as 12 bits to the right (section 14.3.4)."""
        if offset >= DHR12RD:
            shift, width = {DHR12RD: (0, 16), DHR12LD: (-4, 16), DHR8RD: (4, 8)}[offset]
            halves = {1: value, 2: value >> width}
        else:
            channel = 1 if offset < DHR12R2 else 2
            shift = (0, -4, 4)[(offset - DHR12R1) // 4 % 3]
            halves = {channel: value}
        for channel, half in halves.items():
            held = half << shift if shift > 0 else half >> -shift
            self._channels[channel - 1].held = held & FULL_SCALE
            self._channels[channel - 1].waits_for_dma = False
            if not self._bits(channel) & CR_TEN:
                self._put_out(channel, held & FULL_SCALE)

    def _triggered(self, channel: int) -> None:
        bits, state = self._bits(channel), self._channels[channel - 1]
        if not (self.clocked and bits & CR_EN and bits & CR_TEN):
            return
        self._put_out(channel, min(state.held + self._wave(channel), FULL_SCALE))
        if bits & CR_DMAEN:
            if state.waits_for_dma:
                self.values[SR] |= SR_DMAUDR << (16 * (channel - 1))
            state.waits_for_dma = True
            self.bus.dma_request(f"{self.name}{channel}")
        self._update_irq()

    def _wave(self, channel: int) -> int:
        """Noise or a triangle on top of what is held (sections 14.3.8 and 14.3.9)."""
        bits, state = self._bits(channel), self._channels[channel - 1]
        amplitude = (2 << min(bits >> 8 & 0xF, 11)) - 1
        if not bits & CR_WAVE:
            return 0
        if bits & 1 << 7:
            state.step += 1 if state.rising else -1
            if state.step in (0, amplitude):
                state.rising = state.step == 0
            return state.step
        bit = 1 ^ sum(state.noise >> tap for tap in _NOISE_TAPS) & 1
        state.noise = state.noise >> 1 | bit << 11
        return state.noise & amplitude

    def _put_out(self, channel: int, value: int) -> None:
        self.values[DOR1 if channel == 1 else DOR2] = value
        if self._bits(channel) & CR_EN:
            self.on_output(channel)

    def _update_irq(self) -> None:
        asserted = any(
            self._bits(channel) & CR_DMAUDRIE
            and self.values[SR] & SR_DMAUDR << (16 * (channel - 1))
            for channel in (1, 2)
        )
        self._line.drive(asserted)

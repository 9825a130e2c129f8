"""TIM2 to TIM7: up-counting timers with compare channels (RM0090 chapters 18 and 20)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CR1, CR2, SMCR, DIER, SR, EGR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
CCMR1, CCMR2, CCER, CNT, PSC, ARR = 0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C
CCR1, CCR2, CCR3, CCR4, DCR, DMAR, OR = 0x34, 0x38, 0x3C, 0x40, 0x48, 0x4C, 0x50

CR1_CEN, CR1_UDIS, CR1_URS, CR1_OPM = 1 << 0, 1 << 1, 1 << 2, 1 << 3
CR1_DIR, CR1_CMS, CR1_ARPE = 1 << 4, 3 << 5, 1 << 7
UIF, CC1IF, TIF = 1 << 0, 1 << 1, 1 << 6  # in SR; UIE, CC1IE, TIE at the same places in DIER
UDE, CC1DE = 1 << 8, 1 << 9
EGR_UG, EGR_CC1G = 1 << 0, 1 << 1
OCM_TOGGLE, OCM_PWM1, OCM_PWM = 3, 6, (6, 7)  # OCxM in CCMR1 and CCMR2
OCM_PRELOAD = 1 << 3  # OCxPE beside it
_SHAPES_OUTPUT = frozenset({CR1, EGR, CCMR1, CCMR2, CCER, PSC, ARR, CCR1, CCR2, CCR3, CCR4})
_FLAGS = 0x1E5F
_INTERRUPTS = 0x5F

# Slave mode, and inputs: each bit pair of CCxS.
_UNMODELLED = {CR1: CR1_DIR | CR1_CMS, SMCR: 0x4007, CCMR1: 0x0303, CCMR2: 0x0303, DIER: 0x4040}


class Timer(ApbPeripheral):
    """A general-purpose timer, or a basic one with no channels.

    It counts up. The counter is computed from the time when it is read; events wait only for what
    the firmware can notice: a flag that is still clear, a DMA request, the end of one pulse.
    Channels compare; their pins are not driven, and they capture nothing.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        CR1: Register("CR1", 0, 0x3FF), CR2: Register("CR2", 0, 0xF8), SMCR: Register("SMCR", 0),
        DIER: Register("DIER", 0, 0x5F5F), SR: Register("SR", 0, 0), EGR: Register("EGR", 0, 0),
        CCMR1: Register("CCMR1", 0, 0xFFFF), CCMR2: Register("CCMR2", 0, 0xFFFF),
        CCER: Register("CCER", 0, 0xBBBB), CNT: Register("CNT"), PSC: Register("PSC", 0, 0xFFFF),
        ARR: Register("ARR"), CCR1: Register("CCR1"), CCR2: Register("CCR2"),
        CCR3: Register("CCR3"), CCR4: Register("CCR4"), OR: Register("OR", 0, 0xCC0),
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {DCR: "DCR", DMAR: "DMAR"}
    stable = frozenset(layout) - {CNT}

    def __init__(self, name: str, irq: int, *, bits: int = 16, channels: int = 4) -> None:
        self._line = IrqLine(self, irq)
        self._top = (1 << bits) - 1
        self._channels = range(channels)
        self._event: Event | None = None
        super().__init__(name)
        self.on_output: Callable[[], None] = lambda: None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._cancel()
        self.values[ARR] = self._top
        self._counter = 0
        self._since = 0  # the cycle at which the counter took its value
        self._tick_cycles = 1
        self._prescaler = 0  # in force; PSC and ARR wait for the update event
        self._limit = self._top
        self._compares = [0] * 4  # in force; a preloaded CCRx waits for the update event

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """The counter stands still without a clock."""
        if on:
            self._since = self.bus.now()
        else:
            self._advance()
        super().clock(on)
        self._plan()

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset == CNT:
            self._advance()
            return self._counter
        if offset == EGR:
            return 0
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        self._advance()
        old = self.values[CR1]
        if offset == SR:
            self.values[SR] &= value | ~_FLAGS
        elif offset == EGR:
            self._generate(value)
        elif offset == CNT:
            self._counter = value & self._top
            self._since = self.bus.now()
        else:
            wide = offset == ARR or CCR1 <= offset <= CCR4
            self.store(offset, value & self._top if wide else value)
            if value & _UNMODELLED.get(offset, 0):
                self.unmodelled_write(offset, value)
        if offset == CR1 and value & CR1_CEN & ~old:
            self._since = self.bus.now()
            self._set_tick()
        if offset == ARR and not self.values[CR1] & CR1_ARPE:
            self._limit = self.values[ARR]
        channel = (offset - CCR1) // 4
        if CCR1 <= offset <= CCR4 and not self._channel_mode(channel) & OCM_PRELOAD:
            self._compares[channel] = self.values[offset]
        self._update_irq()
        self._plan()
        if offset in _SHAPES_OUTPUT:
            self.on_output()

    def _channel_mode(self, channel: int) -> int:
        """The byte of CCMR1 or CCMR2 that is about a channel from 0 on."""
        return self.values[CCMR1 if channel < 2 else CCMR2] >> 8 * (channel & 1) & 0xFF

    def pulse_ns(self, channel: int) -> tuple[int, int] | None:
        """How long a channel in PWM mode 1 is high, and its period; None where no pin follows it.

        The channel counts from 1. A preloaded compare value counts from its update event on
        (section 18.3.9).
        """
        enabled = self.values[CCER] >> 4 * (channel - 1) & 1
        mode = self._channel_mode(channel - 1) >> 4 & 7
        running = self.clocked and self.values[CR1] & CR1_CEN and self._limit
        if not (enabled and running and mode == OCM_PWM1 and f"CH{channel}" in self.signals):
            return None
        tick_ps = self._tick_cycles * 10**12 // self.bus.clocks().hclk_hz
        compare = min(self._compares[channel - 1], self._limit + 1)
        return compare * tick_ps // 1000, (self._limit + 1) * tick_ps // 1000

    def wire(self, signals: frozenset[str]) -> None:
        """A pin may follow a channel now, or no longer."""
        super().wire(signals)
        self.on_output()

    def output_hz(self, channel: int) -> int:
        """The frequency that a PWM or toggling channel puts out; 0 where it does not move."""
        if not self.clocked or not self.values[CR1] & CR1_CEN or not self._limit:
            return 0
        first = 4 * (channel - 1)
        if not self.values[CCER] >> first & 1:
            return 0
        mode_register = CCMR1 if channel < 3 else CCMR2
        mode = self.values[mode_register] >> (8 * (channel - 1 & 1) + 4) & 7
        compare = self.values[CCR1 + first]
        clocks = self.bus.clocks()
        hertz = clocks.hclk_hz // (self._tick_cycles * (self._limit + 1))
        if mode == OCM_TOGGLE:
            return hertz // 2
        return hertz if mode in OCM_PWM and 0 < compare <= self._limit else 0

    def _generate(self, value: int) -> None:
        for channel in self._channels:
            if value & EGR_CC1G << channel:
                self._match(channel)
        if value & EGR_UG:
            self._counter = 0
            self._since = self.bus.now()
            self._update_event(by_software=True)

    # Counting

    def _set_tick(self) -> None:
        clocks = self.bus.clocks()
        self._tick_cycles = (self._prescaler + 1) * (clocks.hclk_hz // clocks.timclk1_hz)

    def _advance(self) -> None:
        """Bring counter and flags up to now."""
        now = self.bus.now()
        while self.clocked and self.values[CR1] & CR1_CEN:
            ticks = (now - self._since) // self._tick_cycles
            if not ticks or not self._limit:  # a limit of 0 stops the counter
                return
            step = min(ticks, self._to_overflow())
            overflows = step == self._to_overflow()
            self._match_between(self._counter + 1, self._counter + step - overflows)
            self._since += step * self._tick_cycles
            if not overflows:
                self._counter += step
                return
            self._counter = 0
            self._update_event(by_software=False)
            self._match_between(0, 0)
            if self._unchanging():
                round_cycles = (self._limit + 1) * self._tick_cycles
                rounds = (now - self._since) // round_cycles
                if rounds:
                    self._match_between(0, self._limit)
                    self._since += rounds * round_cycles

    def _to_overflow(self) -> int:
        """Ticks until the counter starts again from 0."""
        top = self._limit if self._counter <= self._limit else self._top
        return top + 1 - self._counter

    def _unchanging(self) -> bool:
        """Whether one more round is like the last, with nobody to notice."""
        dma = self.values[DIER] & 0x1F00
        return not dma and self.values[CR1] & CR1_CEN != 0

    def _update_event(self, *, by_software: bool) -> None:
        """UEV: preloaded values take effect (section 18.3.1)."""
        control = self.values[CR1]
        if control & CR1_UDIS:
            return
        self._prescaler = self.values[PSC]
        self._limit = self.values[ARR]
        waiting = [self.values[CCR1 + 4 * channel] for channel in self._channels]
        changed = waiting != self._compares[: len(waiting)]
        self._compares[: len(waiting)] = waiting
        self._set_tick()
        if changed and not by_software:
            self.on_output()
        if not by_software and control & CR1_OPM:
            self.values[CR1] &= ~CR1_CEN
        if by_software and control & CR1_URS:
            return
        self.values[SR] |= UIF
        if self.values[DIER] & UDE:
            self.bus.dma_request(f"{self.name}_UP")

    def _match_between(self, first: int, last: int) -> None:
        """The counter went through these values."""
        for channel in self._channels:
            compare = min(self.values[CCR1 + 4 * channel], self._limit)  # past the limit: at it
            if first <= compare <= last:
                self._match(channel)

    def _match(self, channel: int) -> None:
        self.values[SR] |= CC1IF << channel
        if self.values[DIER] & CC1DE << channel:
            self.bus.dma_request(f"{self.name}_CH{channel + 1}")

    # Events

    def _plan(self) -> None:
        """Wait for the next thing that the firmware can notice."""
        self._cancel()
        if not self.clocked or not self.values[CR1] & CR1_CEN or not self._limit:
            return
        status, enables = self.values[SR], self.values[DIER]
        ticks = []
        notice_update = not status & UIF or enables & UDE or self.values[CR1] & CR1_OPM
        preloaded = self.values[PSC] != self._prescaler or self.values[ARR] != self._limit
        preloaded |= any(
            self.values[CCR1 + 4 * channel] != self._compares[channel] for channel in self._channels
        )
        if notice_update or preloaded:
            ticks.append(self._to_overflow())
        for channel in self._channels:
            if not status & CC1IF << channel or enables & CC1DE << channel:
                ticks.append(self._to_match(channel))
        if ticks:
            due = self._since + min(ticks) * self._tick_cycles
            self._event = self.bus.schedule(max(due - self.bus.now(), 1), self._due)

    def _to_match(self, channel: int) -> int:
        compare = min(self.values[CCR1 + 4 * channel], self._limit)
        ahead = compare - self._counter
        return ahead if ahead > 0 else self._to_overflow() + compare

    def _due(self) -> None:
        self._event = None
        self._advance()
        self._update_irq()
        self._plan()

    def _cancel(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _update_irq(self) -> None:
        self._line.drive(bool(self.values[SR] & self.values[DIER] & _INTERRUPTS))

"""TIM1 to TIM14: counters with compare, PWM, capture and encoder (RM0090 chapters 17 to 20)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register
from boardless_sim.peripherals.timer_channel import Channel, OutputMode
from boardless_sim.peripherals.timer_counter import Counter, Direction

CR1, CR2, SMCR, DIER, SR, EGR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
CCMR1, CCMR2, CCER, CNT, PSC, ARR, RCR = 0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x30
CCR1, CCR2, CCR3, CCR4, BDTR, DCR, DMAR, OR = 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C, 0x50

CR1_CEN, CR1_UDIS, CR1_URS, CR1_OPM = 1 << 0, 1 << 1, 1 << 2, 1 << 3
CR1_DIR, CR1_CMS, CR1_ARPE = 1 << 4, 3 << 5, 1 << 7
CR2_TI1S = 1 << 7
SMCR_SMS, SMCR_ECE, SMCR_ETP = 7, 1 << 14, 1 << 15
UIF, CC1IF, COMIF, TIF, BIF = 1 << 0, 1 << 1, 1 << 5, 1 << 6, 1 << 7  # in SR, as in DIER
CC1OF = 1 << 9
UDE, CC1DE, COMDE, TDE = 1 << 8, 1 << 9, 1 << 13, 1 << 14
EGR_UG, EGR_CC1G, EGR_COMG, EGR_TG, EGR_BG = 1 << 0, 1 << 1, 1 << 5, 1 << 6, 1 << 7
BDTR_BKE, BDTR_BKP, BDTR_AOE, BDTR_MOE = 1 << 12, 1 << 13, 1 << 14, 1 << 15
_FLAGS = 0x1EFF
_REQUESTS = 0x7F00  # of DIER
ENCODER_MODES = {1: (2,), 2: (1,), 3: (1, 2)}  # by SMS: the inputs whose edges count
RESET_MODE, GATED_MODE, TRIGGER_MODE, EXTERNAL_CLOCK = 4, 5, 6, 7
TRIGGER_TI1_EDGES, TRIGGER_TI1, TRIGGER_TI2, TRIGGER_ETR = 4, 5, 6, 7  # SMCR.TS; below: ITRx
_ON_RESET, _ON_ENABLE, _ON_UPDATE, _ON_COMPARE = range(4)  # CR2.MMS: when TRGO is pulsed
_INPUT_TRC = 3  # CCxS: captures when another timer triggers
_SHAPES_OUTPUT = frozenset({CR1, EGR, CCMR1, CCMR2, CCER, PSC, ARR, CCR1, CCR2, CCR3, CCR4, BDTR})


def _layout(channels: int, *, wide: bool = False, advanced: bool = False) -> dict[int, Register]:
    """The registers of a timer with so many channels, and the bits that it has of them."""
    two_or_more = channels >= 2
    flags = 1 | ((1 << channels) - 1) << 1
    interrupts = flags | (TIF if two_or_more else 0) | (COMIF | BIF if advanced else 0)
    requests = (interrupts & ~BIF) << 8 if channels in (0, 4) else 0
    full = (1 << 32) - 1 if wide else 0xFFFF
    layout = {
        CR1: Register("CR1", 0, {0: 0x8F, 1: 0x387, 2: 0x38F}.get(channels, 0x3FF)),
        DIER: Register("DIER", 0, interrupts | requests),
        SR: Register("SR", 0, 0), EGR: Register("EGR", 0, 0), CNT: Register("CNT", 0, full),
        PSC: Register("PSC", 0, 0xFFFF), ARR: Register("ARR", full, full),
    }  # fmt: skip
    if channels in (0, 4):
        layout[CR2] = Register("CR2", 0, 0x7FFD if advanced else 0xF8 if channels else 0x70)
    if two_or_more:
        layout[SMCR] = Register("SMCR", 0, 0xFFF7 if channels == 4 else 0xF7)
    if channels:
        layout[CCMR1] = Register("CCMR1", 0, 0xFFFF if two_or_more else 0xFF)
        layout[CCER] = Register(
            "CCER", 0, 0x3FFF if advanced else {1: 0xB, 2: 0xBB}.get(channels, 0xBBBB)
        )
    if channels == 4:
        layout[CCMR2] = Register("CCMR2", 0, 0xFFFF)
        layout |= {DCR: Register("DCR", 0, 0x1F1F), DMAR: Register("DMAR", 0, 0)}
    for channel in range(channels):
        layout[CCR1 + 4 * channel] = Register(f"CCR{channel + 1}", 0, full)
    if advanced:
        layout |= {RCR: Register("RCR", 0, 0xFF), BDTR: Register("BDTR", 0, 0xFFFF)}
    return layout


class Timer(ApbPeripheral):
    """A general-purpose timer with four channels.

    The counter is computed from the time when it is looked at; events wait only for what the
    firmware can notice: a flag that is still clear, a DMA request, the end of one pulse. Inputs
    count as the edges come; their filters are not modelled.
    """

    channels: ClassVar[int] = 4
    top: ClassVar[int] = 0xFFFF
    advanced: ClassVar[bool] = False
    layout: ClassVar[Mapping[int, Register]] = {
        **_layout(4), OR: Register("OR", 0, 0xCC0),
    }  # fmt: skip
    stable = frozenset(layout) - {CNT, CR1, DMAR}

    def __init__(self, name: str, *irqs: int, on_apb2: bool = False) -> None:
        """`irqs`: one, or those for break, update, trigger and compare.

        `masters` are the timers behind ITR0 to ITR3; `listen` is for whoever a signal starts.
        """
        lines = [IrqLine(self, irq) for irq in irqs]
        if len(lines) == 1:
            self._lines = [(lines[0], 0xFF)]
        else:
            compares = 0xF << 1
            masks = (BIF, UIF, TIF | COMIF, compares)
            self._lines = list(zip(lines, masks, strict=True))
        self._on_apb2 = on_apb2
        self._event: Event | None = None
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self.masters: tuple[Timer | None, ...] = (None,) * 4
        self._master: Timer | None = None
        super().__init__(name)
        self.on_output: Callable[[], None] = lambda: None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._cancel()
        self.counter = Counter(self.top, self.top)
        self.outputs = [Channel() for _ in range(self.channels)]
        self._since = 0  # the cycle at which the counter took its value
        self._tick_cycles = 1
        self._prescaler = 0  # in force; PSC and ARR wait for the update event
        self._repeats = 0  # updates that are passed over before the next counts
        self._compares = [
            0
        ] * self.channels  # in force; a preloaded CCRx waits for the update event
        self._gate_is_open = False  # in gated mode
        self._external_edges = 0
        self._burst_index = 0  # of DMAR
        self._marks: list[int] | None = None  # where something happens, until that changes

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

    # Triggers (sections 18.3.14 and 18.3.15)

    def listen(self, signal: str, heard: Callable[[], None]) -> None:
        """Call back at each pulse of "TRGO", or of "CC1" to "CC4"."""
        self._advance()
        self._listeners.setdefault(signal, []).append(heard)
        self._plan()

    def ignore(self, signal: str, heard: Callable[[], None]) -> None:
        """Call back no more."""
        self._listeners[signal].remove(heard)
        if not self._listeners[signal]:
            del self._listeners[signal]

    def _tell(self, signal: str) -> None:
        for heard in tuple(self._listeners.get(signal, ())):
            heard()

    @property
    def _master_mode(self) -> int:
        return self.values[CR2] >> 4 & 7 if CR2 in self.layout else -1

    def _follow_master(self) -> None:
        """Listen to the timer behind the chosen ITRx."""
        chosen = self.values[SMCR] >> 4 & 7
        uses = self.values[SMCR] & SMCR_SMS > 3 or any(
            channel.selection == _INPUT_TRC for channel in self.outputs
        )
        master = self.masters[chosen] if uses and chosen < len(self.masters) else None
        if master is self._master:
            return
        if self._master is not None:
            self._master.ignore("TRGO", self._master_pulse)
        self._master = master
        if master is not None:
            master.listen("TRGO", self._master_pulse)

    def _master_pulse(self) -> None:
        if not self.clocked:
            return
        self._advance()
        for number, channel in enumerate(self.outputs):
            if channel.selection == _INPUT_TRC and channel.enabled:
                self._take_capture(number)
        self._triggered()
        self._update_irq()
        self._plan()

    def _triggered(self) -> None:
        """An active edge of TRGI."""
        mode = self.values[SMCR] & SMCR_SMS
        if not mode:
            return
        self.values[SR] |= TIF
        if self.values[DIER] & TDE:
            self._request("TRIG")
        if mode == RESET_MODE:
            self._restart()
        elif mode == TRIGGER_MODE and not self.values[CR1] & CR1_CEN:
            self._enable_by_trigger()
        elif mode == EXTERNAL_CLOCK and self.values[CR1] & CR1_CEN:
            self._go(1)

    def _enable_by_trigger(self) -> None:
        self.values[CR1] |= CR1_CEN
        self._since = self.bus.now()
        self._set_tick()
        if self._master_mode == _ON_ENABLE:
            self._tell("TRGO")

    def _restart(self) -> None:
        self.counter.position = 0
        self._since = self.bus.now()
        self._update_event(by_software=True)

    def _request(self, signal: str) -> None:
        """A DMA request; a burst has as many transfers as DCR says (section 18.3.18)."""
        units = (self.values[DCR] >> 8 & 0x1F) + 1 if DCR in self.layout else 1
        self.bus.dma_request(f"{self.name}_{signal}", units)

    def _burst_register(self) -> int:
        """Which register DMAR stands for: from DBA on, one after the other."""
        control = self.values[DCR]
        offset = 4 * ((control & 0x1F) + self._burst_index)
        self._burst_index = (self._burst_index + 1) % ((control >> 8 & 0x1F) + 1)
        return offset

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; the counter and its direction are those of now."""
        if offset == CNT:
            self._advance()
            return self.counter.value & self.top
        if offset == CR1:
            self._advance()
            return self.values[CR1] & ~CR1_DIR | CR1_DIR * self.counter.counts_down
        if offset == DMAR and DMAR in self.layout:
            return self.read_word(self._burst_register())
        if CCR1 <= offset <= CCR4 and offset in self.layout:
            channel = (offset - CCR1) >> 2
            if self.outputs[channel].selection:
                self.values[SR] &= ~(CC1IF << channel)  # taking a capture clears its flag
                self.bus.read_had_effect()
                self._update_irq()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DMAR and DMAR in self.layout:
            self.write_word(self._burst_register(), value)
            return
        self._advance()
        running = self.values[CR1] & CR1_CEN
        self._marks = None
        if offset == SR:
            self.values[SR] &= value | ~_FLAGS
        elif offset == EGR:
            self._generate(value)
        elif offset == CNT:
            self.counter.set(value & self.top)
            self._since = self.bus.now()
        else:
            self.store(offset, value)
            self._configure(offset, value)
        if not running and self.values[CR1] & CR1_CEN:
            self._since = self.bus.now()
            self._set_tick()
            if self._master_mode == _ON_ENABLE:
                self._tell("TRGO")
        self._update_irq()
        self._plan()
        if offset in _SHAPES_OUTPUT:
            self.on_output()

    def _configure(self, offset: int, value: int) -> None:
        if offset == CR1:
            both = self.values[CR1] & CR1_CMS
            down = self.values[CR1] & CR1_DIR
            direction = Direction.BOTH if both else Direction.DOWN if down else Direction.UP
            if direction is not self.counter.direction:
                self.counter.change(self.counter.limit, direction)
        elif offset == ARR and not self.values[CR1] & CR1_ARPE:
            self.counter.change(self.values[ARR], self.counter.direction)
        elif offset in (CCMR1, CCMR2, CCER):
            self._configure_channels(offset, value)
        elif CCR1 <= offset <= CCR4 and offset in self.layout:
            number = (offset - CCR1) >> 2
            if not self.outputs[number].preloaded:
                self._compares[number] = self.values[offset]
        else:
            self._configure_trigger(offset, value)

    def _configure_trigger(self, offset: int, value: int) -> None:
        if offset == SMCR and SMCR in self.layout:
            self._follow_master()
            self._gate_is_open = self._gate_level()
            if value & SMCR_SMS == GATED_MODE and value >> 4 & 7 < TRIGGER_TI1_EDGES:
                self.unmodelled_write(offset, value)  # by the level of another timer's TRGO
        elif offset == CR2 and value & CR2_TI1S and self.channels:
            self.unmodelled_write(offset, value)
        elif offset == DCR:
            self._burst_index = 0

    def _configure_channels(self, offset: int, value: int) -> None:
        for number, channel in enumerate(self.outputs):
            ccmr = self.values[CCMR1 if number < 2 else CCMR2] >> (8 * (number & 1))
            channel.configure(ccmr, self.values[CCER] >> (4 * number))
            if not channel.preloaded:
                self._compares[number] = self.values[CCR1 + 4 * number]
        if SMCR in self.layout:
            self._follow_master()

    def _generate(self, value: int) -> None:
        for channel in range(self.channels):
            if value & EGR_CC1G << channel:
                self._flag(channel)
        if value & EGR_UG:
            self._restart()
            if self._master_mode == _ON_RESET:
                self._tell("TRGO")
        if value & EGR_TG and SMCR in self.layout:
            self.values[SR] |= TIF
            if self.values[DIER] & TDE:
                self._request("TRIG")
        if self.advanced and value & EGR_COMG:
            self.values[SR] |= COMIF
            if self.values[DIER] & COMDE:
                self._request("COM")
        if self.advanced and value & EGR_BG:
            self._break()

    def _break(self) -> None:
        """BIF, and the outputs are off (section 17.3.12)."""
        self.values[SR] |= BIF
        self.values[BDTR] &= ~BDTR_MOE

    def break_input(self, high: bool) -> None:
        """The level at the pin BKIN changed."""
        active_high = bool(self.values[BDTR] & BDTR_BKP)
        if self.clocked and self.values[BDTR] & BDTR_BKE and high is active_high:
            self._break()
            self._update_irq()
            self.on_output()

    # Counting

    def _set_tick(self) -> None:
        clocks = self.bus.clocks()
        timer_hz = clocks.timclk2_hz if self._on_apb2 else clocks.timclk1_hz
        self._tick_cycles = (self._prescaler + 1) * max(clocks.hclk_hz // timer_hz, 1)

    @property
    def _runs_by_itself(self) -> bool:
        """Whether the internal clock drives the counter; inputs do in the other modes."""
        if not (self.clocked and self.values[CR1] & CR1_CEN):
            return False
        slave = self.values[SMCR] if SMCR in self.layout else 0
        mode = slave & SMCR_SMS
        if mode == GATED_MODE and not self._gate_is_open:
            return False
        return mode not in _BY_EDGES and not slave & SMCR_ECE

    def _advance(self) -> None:
        """Bring counter and flags up to now."""
        now = self.bus.now()
        while self._runs_by_itself and self.counter.limit:  # a limit of 0 stops the counter
            ticks = (now - self._since) // self._tick_cycles
            if not ticks:
                return
            mark = self._next_mark()
            step = min(ticks, mark - self.counter.position)
            self._since += step * self._tick_cycles
            self._go(step)
            if not self.counter.position and self._unchanging():
                # An output that toggles is as before after two periods.
                same_cycles = self.counter.period * self._tick_cycles * (1 + self._toggles())
                self._since += (now - self._since) // same_cycles * same_cycles

    def _go(self, ticks: int) -> None:
        """So many ticks further, to the next mark at most."""
        counter = self.counter
        at = counter.position + ticks
        matched = [n for n in range(self.channels) if at in self._matches(n)]
        updates = at in counter.updates()
        counter.position = at if at < counter.period else 0
        for channel in matched:
            self._match(channel)
        if updates:
            self._overflow()

    def _matches(self, channel: int) -> list[int]:
        if self.outputs[channel].selection:
            return []  # it captures
        centre = self.values[CR1] >> 5 & 3
        return self.counter.matches(self._compares[channel], up=centre != 1, down=centre != 2)

    def _next_mark(self) -> int:
        """The next position at which something happens."""
        beyond = self.counter.position > self.counter.limit  # its period is another
        if self._marks is None or beyond:
            marks = {*self.counter.updates()}
            for channel in range(self.channels):
                marks.update(self._matches(channel))
            self._marks = sorted(marks)
        marks_ahead = self._marks[bisect_right(self._marks, self.counter.position)]
        if beyond:
            self._marks = None
        return marks_ahead

    def _unchanging(self) -> bool:
        """Whether one more period is like the last, with nobody to notice."""
        noticed = self.values[DIER] & _REQUESTS or self.values[CR1] & CR1_OPM or self._listeners
        flags = UIF | sum(CC1IF << n for n in range(self.channels) if self._matches(n))
        seen = self.values[SR] & flags == flags
        return seen and not self._preloaded and not noticed and not self._repetitions

    def _toggles(self) -> bool:
        return any(channel.mode is OutputMode.TOGGLE for channel in self.outputs)

    @property
    def _waiting(self) -> list[int]:
        """The compare values that the next update event puts in force."""
        return [self.values[CCR1 + 4 * channel] for channel in range(self.channels)]

    @property
    def _preloaded(self) -> bool:
        """Whether an update event would change anything."""
        limit_or_prescaler = (self.values[ARR], self.values[PSC])
        return (
            limit_or_prescaler != (self.counter.limit, self._prescaler)
            or self._waiting != self._compares
        )

    @property
    def _repetitions(self) -> int:
        return self.values[RCR] if self.advanced else 0

    def _overflow(self) -> None:
        """An overflow or underflow is an update event once in RCR + 1 times (section 17.3.3)."""
        if self._repeats:
            self._repeats -= 1
        else:
            self._update_event(by_software=False)

    def _update_event(self, *, by_software: bool) -> None:
        """UEV: preloaded values take effect (section 18.3.1)."""
        control = self.values[CR1]
        if control & CR1_UDIS:
            return
        self._prescaler = self.values[PSC]
        self._repeats = self._repetitions
        self._marks = None
        changed = self._waiting != self._compares
        self._compares = self._waiting
        if changed and not by_software:
            self.on_output()
        if not self.counter.position:
            self.counter.limit = self.values[ARR]
        elif self.counter.limit != self.values[ARR]:
            self.counter.change(self.values[ARR], self.counter.direction)
        self._set_tick()
        if not by_software and control & CR1_OPM:
            self.values[CR1] &= ~CR1_CEN
        if self.advanced and not by_software and self.values[BDTR] & BDTR_AOE:
            self.values[BDTR] |= BDTR_MOE
        if self._listeners and self._pulses_at_update:
            self._tell("TRGO")
        if by_software and control & CR1_URS:
            return
        self.values[SR] |= UIF
        if self.values[DIER] & UDE:
            self._request("UP")

    @property
    def _pulses_at_update(self) -> bool:
        """MMS: the update itself, or the rising edge of an OCxREF in PWM mode 1."""
        mode = self._master_mode
        if mode <= _ON_COMPARE:
            return mode == _ON_UPDATE
        return self.outputs[mode - _ON_COMPARE - 1].mode is OutputMode.PWM_1

    def _match(self, channel: int) -> None:
        self.outputs[channel].matched()
        self._flag(channel)
        if self._listeners:
            mode = self._master_mode
            self._tell(f"CC{channel + 1}")
            follows = mode == _ON_COMPARE + 1 + channel and not self._pulses_at_update
            if (mode == _ON_COMPARE and not channel) or follows:
                self._tell("TRGO")

    def _flag(self, channel: int) -> None:
        self.values[SR] |= CC1IF << channel
        if self.values[DIER] & CC1DE << channel:
            self._request(f"CH{channel + 1}")

    # Pins

    def complement_level(self, channel: int) -> bool | None:
        """The level at CHxN, which opposes the channel; dead time is not modelled."""
        output = self.outputs[channel - 1]
        enables = self.values[CCER] >> (4 * channel - 4)
        if output.selection or not enables & 4 or not self._outputs_enabled:
            return None
        reference = self._reference(channel) is not output.inverted
        return reference is bool(enables & 8)

    def output_level(self, channel: int) -> bool | None:
        """The level that channel 1 to 4 drives now; None while it drives none."""
        output = self.outputs[channel - 1]
        if output.selection or not output.enabled or not self._outputs_enabled:
            return None
        return self._reference(channel)

    def _reference(self, channel: int) -> bool:
        """OCx: the reference, inverted where CCxP says so."""
        output = self.outputs[channel - 1]
        self._advance()
        return output.output(
            self.counter.value,
            self._compares[channel - 1],
            counts_down=self.counter.counts_down,
        )

    @property
    def _outputs_enabled(self) -> bool:
        """MOE of a timer with a break input (section 17.4.18)."""
        return not self.advanced or bool(self.values[BDTR] & BDTR_MOE)

    def output_hz(self, channel: int, *, complement: bool = False) -> int:
        """The frequency at CHx, or at CHxN; 0 where its level does not move."""
        level = self.complement_level(channel) if complement else self.output_level(channel)
        if not self._runs_by_itself or level is None:
            return 0
        compare = self._compares[channel - 1]
        period_cycles = self._tick_cycles * self.counter.period
        mode = self.outputs[channel - 1].mode
        if mode is OutputMode.TOGGLE:
            return self.bus.clocks().hclk_hz // (2 * period_cycles)
        moves = mode in (OutputMode.PWM_1, OutputMode.PWM_2) and 0 < compare <= self.counter.limit
        return self.bus.clocks().hclk_hz // period_cycles if moves else 0

    def pulse_ns(self, channel: int) -> tuple[int, int] | None:
        """How long a channel in PWM mode 1 is high, and its period; None where no pin follows."""
        runs = self._runs_by_itself and self.counter.limit
        output = self.outputs[channel - 1]
        drives = output.enabled and self._outputs_enabled and f"CH{channel}" in self.signals
        if not (runs and drives and output.mode is OutputMode.PWM_1):
            return None
        tick_ps = self._tick_cycles * 10**12 // self.bus.clocks().hclk_hz
        period = self.counter.limit + 1
        compare = min(self._compares[channel - 1], period)
        return compare * tick_ps // 1000, period * tick_ps // 1000

    def wire(self, signals: frozenset[str]) -> None:
        """A pin may follow a channel now, or no longer."""
        super().wire(signals)
        self.on_output()

    def input_edge(self, channel: int, rising: bool) -> None:
        """The level at the pin of channel 1 to 4 changed from outside."""
        if not self.clocked:
            return
        self._advance()
        number = channel - 1
        self.outputs[number].input = rising
        for other in (number, number ^ 1):
            wanted = 1 if other == number else 2
            if other < self.channels and self.outputs[other].selection == wanted:
                self._capture(other, rising)
        if channel <= 2 and SMCR in self.layout:
            self._count_edge(channel, rising)
        self._update_irq()
        self._plan()

    def _capture(self, channel: int, rising: bool) -> None:
        if self.outputs[channel].captures(rising):
            self._take_capture(channel)

    def _take_capture(self, channel: int) -> None:
        if self.values[SR] & CC1IF << channel:
            self.values[SR] |= CC1OF << channel
        self.values[CCR1 + 4 * channel] = self._compares[channel] = self.counter.value & self.top
        self._flag(channel)

    def _count_edge(self, channel: int, rising: bool) -> None:
        """An edge at TI1 or TI2: for the encoder (section 18.3.12), or as the trigger."""
        mode, trigger = self.values[SMCR] & SMCR_SMS, self.values[SMCR] >> 4 & 7
        if mode in ENCODER_MODES:
            if self.values[CR1] & CR1_CEN and channel in ENCODER_MODES[mode]:
                self._turn(up=self._turns_up(channel, rising))
        elif trigger == TRIGGER_TI1_EDGES and channel == 1:
            self._triggered()
        elif trigger - TRIGGER_TI1 == channel - 1:
            if mode == GATED_MODE:
                self._gate_is_open = self._gate_level()
                self._since = self.bus.now()
                self._triggered()
            elif self.outputs[channel - 1].sees(rising):
                self._triggered()

    def _gate_level(self) -> bool:
        """Whether the input that gates the counter is active."""
        channel = (self.values[SMCR] >> 4 & 7) - TRIGGER_TI1
        if not 0 <= channel < min(self.channels, 2):
            return False
        return self.outputs[channel].input is not self.outputs[channel].inverted

    def external_edge(self, rising: bool) -> None:
        """An edge at the pin ETR (sections 18.3.3 and 18.4.3: ECE, ETP, ETPS)."""
        if not self.clocked or rising is bool(self.values[SMCR] & SMCR_ETP):
            return
        self._external_edges += 1
        if self._external_edges < 1 << (self.values[SMCR] >> 12 & 3):
            return
        self._external_edges = 0
        if self.values[SMCR] & SMCR_ECE:
            if self.values[CR1] & CR1_CEN:
                self._go(1)
        elif self.values[SMCR] >> 4 & 7 == TRIGGER_ETR:
            self._triggered()
        self._update_irq()
        self._plan()

    def _turns_up(self, channel: int, rising: bool) -> bool:
        """Table 95: the direction is that of the edge against the other input's level."""
        other = self.outputs[2 - channel]
        level = other.input is not other.inverted
        edge = rising is not self.outputs[channel - 1].inverted
        return (edge is level) is (channel == 2)

    def _turn(self, *, up: bool) -> None:
        direction = Direction.UP if up else Direction.DOWN
        self._marks = None
        if direction is not self.counter.direction:
            self.counter.change(self.counter.limit, direction)
        self._go(1)

    # Events

    def _plan(self) -> None:
        """Wait for the next thing that the firmware can notice."""
        self._cancel()
        if not self._runs_by_itself or not self.counter.limit:
            return
        status, enables = self.values[SR], self.values[DIER]
        marks: list[int] = []
        heard = bool(self._listeners)
        watched = heard or not status & UIF or enables & UDE or self.values[CR1] & CR1_OPM
        if watched or self._preloaded or self._repetitions:
            marks += self.counter.updates()
        for channel in range(self.channels):
            if heard or not status & CC1IF << channel or enables & CC1DE << channel:
                marks += self._matches(channel)
        if marks:
            due = self._since + self._ticks_to(marks) * self._tick_cycles
            self._event = self.bus.schedule(max(due - self.bus.now(), 1), self._due)

    def _ticks_to(self, marks: list[int]) -> int:
        """Ticks to the first of some positions, in this period or the next."""
        at, period = self.counter.position, self.counter.period
        return min(mark - at if mark > at else period - at + mark for mark in marks)

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
        asserted = self.values[SR] & self.values[DIER]
        for line, mask in self._lines:
            line.drive(bool(asserted & mask))


_BY_EDGES = frozenset({*ENCODER_MODES, EXTERNAL_CLOCK})


class WideTimer(Timer):
    """TIM2 and TIM5: 32 bits."""

    top = 0xFFFF_FFFF
    layout: ClassVar[Mapping[int, Register]] = {
        **_layout(4, wide=True), OR: Register("OR", 0, 0xCC0),
    }  # fmt: skip


class AdvancedTimer(Timer):
    """TIM1 and TIM8: a repetition counter, and outputs that MOE lets through."""

    advanced = True
    layout: ClassVar[Mapping[int, Register]] = _layout(4, advanced=True)
    stable = frozenset(layout) - {CNT, CR1, DMAR}


class TwoChannelTimer(Timer):
    """TIM9 and TIM12: they only count up."""

    channels = 2
    layout: ClassVar[Mapping[int, Register]] = _layout(2)
    stable = frozenset(layout) - {CNT, CR1}


class OneChannelTimer(Timer):
    """TIM10, TIM11, TIM13 and TIM14."""

    channels = 1
    layout: ClassVar[Mapping[int, Register]] = {**_layout(1), OR: Register("OR", 0, 0x3)}
    stable = frozenset(layout) - {CNT, CR1}


class BasicTimer(Timer):
    """TIM6 and TIM7: no channels."""

    channels = 0
    layout: ClassVar[Mapping[int, Register]] = _layout(0)
    stable = frozenset(layout) - {CNT, CR1}

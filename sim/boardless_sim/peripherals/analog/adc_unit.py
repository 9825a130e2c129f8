"""One ADC: sequences of channels, converted one after the other in time (RM0090 chapter 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from boardless_sim.peripherals.analog.triggers import Triggered, TriggerSource
from boardless_sim.peripherals.peripheral import Bus, Event
from boardless_sim.peripherals.register import Register

SR, CR1, CR2, SMPR1, SMPR2, HTR, LTR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x24, 0x28
JOFR1, SQR1, SQR2, SQR3, JSQR, JDR1, DR = 0x14, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x4C
SR_AWD, SR_EOC, SR_JEOC, SR_JSTRT, SR_STRT, SR_OVR = 1, 2, 4, 8, 16, 32
CR1_EOCIE, CR1_AWDIE, CR1_JEOCIE, CR1_SCAN, CR1_AWDSGL = 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9
CR1_JAUTO, CR1_DISCEN, CR1_JDISCEN, CR1_JAWDEN, CR1_AWDEN, CR1_OVRIE = (
    1 << 10, 1 << 11, 1 << 12, 1 << 22, 1 << 23, 1 << 26,
)  # fmt: skip
CR2_ADON, CR2_CONT, CR2_DMA, CR2_DDS, CR2_EOCS, CR2_ALIGN = (
    1 << 0, 1 << 1, 1 << 8, 1 << 9, 1 << 10, 1 << 11,
)  # fmt: skip
CR2_JSWSTART, CR2_SWSTART = 1 << 22, 1 << 30
LAYOUT: Mapping[int, Register] = {
    SR: Register("SR", 0, 0), CR1: Register("CR1", 0, 0x07C0_FFFF),
    CR2: Register("CR2", 0, 0x3F3F_0F03), SMPR1: Register("SMPR1", 0, 0x07FF_FFFF),
    SMPR2: Register("SMPR2", 0, 0x3FFF_FFFF),
    **{JOFR1 + 4 * n: Register(f"JOFR{n + 1}", 0, 0xFFF) for n in range(4)},
    HTR: Register("HTR", 0xFFF, 0xFFF), LTR: Register("LTR", 0, 0xFFF),
    SQR1: Register("SQR1", 0, 0x00FF_FFFF), SQR2: Register("SQR2", 0, 0x3FFF_FFFF),
    SQR3: Register("SQR3", 0, 0x3FFF_FFFF), JSQR: Register("JSQR", 0, 0x003F_FFFF),
    **{JDR1 + 4 * n: Register(f"JDR{n + 1}", 0, 0) for n in range(4)}, DR: Register("DR", 0, 0),
}  # fmt: skip
SAMPLING_CYCLES = (3, 15, 28, 56, 84, 112, 144, 480)  # by SMPx
RESOLUTION_BITS = (12, 10, 8, 6)  # by RES; a conversion takes as many cycles
# What starts a regular sequence, by EXTSEL (table 68).
_REGULAR = (
    "TIM1_CC1", "TIM1_CC2", "TIM1_CC3", "TIM2_CC2", "TIM2_CC3", "TIM2_CC4", "TIM2_TRGO", "TIM3_CC1",
    "TIM3_TRGO", "TIM4_CC4", "TIM5_CC1", "TIM5_CC2", "TIM5_CC3", "TIM8_CC1", "TIM8_TRGO", "EXTI_11",
)  # fmt: skip
# And an injected one, by JEXTSEL (table 69).
_INJECTED = (
    "TIM1_CC4", "TIM1_TRGO", "TIM2_CC1", "TIM2_TRGO", "TIM3_CC2", "TIM3_CC4", "TIM4_CC1",
    "TIM4_CC2", "TIM4_CC3", "TIM4_TRGO", "TIM5_CC4", "TIM5_TRGO", "TIM8_CC2", "TIM8_CC3",
    "TIM8_CC4", "EXTI_15",
)  # fmt: skip


class AdcBlock(Protocol):
    """The block that a unit is part of."""

    bus: Bus
    voltage: Callable[[int, int], float]
    triggers: Mapping[str, TriggerSource]

    @property
    def common(self) -> int:
        """CCR."""

    def update_irq(self) -> None:
        """A flag may have changed."""

    def unmodelled_write(self, offset: int, value: int) -> None:
        """Log the register once."""


class AdcUnit:
    """Registers and sequences of one ADC."""

    def __init__(self, block: AdcBlock, number: int) -> None:
        self._block = block
        self._number = number
        self.name = f"ADC{number}"
        self._event: Event | None = None
        self._regular, self._injected = Triggered(), Triggered()
        self.registers: dict[int, int] = {}

    def reset(self) -> None:
        """Registers to their reset values, nothing in progress."""
        self.registers = {offset: register.reset for offset, register in LAYOUT.items()}
        if self._event is not None:
            self._event.cancel()
            self._event = None
        self._at = 0  # the next regular conversion of the sequence
        self._converting: list[int] = []  # injected conversions that are to come
        self._dr_is_unread = False
        self._dma_ended = False
        self._regular.stop()
        self._injected.stop()

    @property
    def asserts(self) -> bool:
        """Whether it wants the interrupt."""
        status, control = self.registers[SR], self.registers[CR1]
        return bool(
            (status & SR_EOC and control & CR1_EOCIE)
            or (status & SR_AWD and control & CR1_AWDIE)
            or (status & SR_JEOC and control & CR1_JEOCIE)
            or (status & SR_OVR and control & CR1_OVRIE)
        )

    def read(self, offset: int) -> int:
        """A register; reading DR takes the result."""
        if offset == DR:
            self._dr_is_unread = False
            self.registers[SR] &= ~SR_EOC
            self._block.update_irq()
        return self.registers[offset]

    def write(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        mask = LAYOUT[offset].writable
        if offset == SR:
            self.registers[SR] &= value
        else:
            self.registers[offset] = self.registers[offset] & ~mask | value & mask
        if offset == CR2:
            self._write_control(value)

    def _write_control(self, value: int) -> None:
        if not value & CR2_ADON:
            if self._event is not None:
                self._event.cancel()
                self._event = None
            self._at = 0
        if not value & CR2_DMA:
            self._dma_ended = False
        self._follow_triggers(value)
        if value & CR2_ADON:
            if value & CR2_JSWSTART:
                self.start_injected()
            if value & CR2_SWSTART:
                self.start_regular()

    def _follow_triggers(self, value: int) -> None:
        on = value & CR2_ADON
        for listening, enable, names, shift, start in (
            (self._regular, value >> 28 & 3, _REGULAR, 24, self.start_regular),
            (self._injected, value >> 20 & 3, _INJECTED, 16, self.start_injected),
        ):
            name, _, signal = names[value >> shift & 0xF].partition("_")
            if enable and on and name == "EXTI":
                self._block.unmodelled_write(CR2, value)
            listening.follow(
                self._block.triggers.get(name) if enable and on else None, signal, start
            )

    # Sequences

    def start_regular(self) -> None:
        """Start the regular sequence, or its next part in discontinuous mode."""
        if self._event is None and not self.registers[SR] & SR_OVR:
            self.registers[SR] |= SR_STRT
            self._left = self._part()
            self._convert_next()

    def start_injected(self) -> None:
        """Start the injected sequence; it comes before what is left of the regular one."""
        count = (self.registers[JSQR] >> 20 & 3) + 1
        first = 4 - count  # the sequence ends with JSQ4 (section 13.13.12)
        if not self.registers[CR1] & CR1_SCAN:
            count = 1
        self._converting = [self.registers[JSQR] >> 5 * (first + n) & 0x1F for n in range(count)]
        self._injected_done = 0
        self.registers[SR] |= SR_JSTRT
        if self._event is None:
            self._convert_next()

    @property
    def _length(self) -> int:
        if not self.registers[CR1] & CR1_SCAN:
            return 1
        return (self.registers[SQR1] >> 20 & 0xF) + 1

    def _part(self) -> int:
        """How many conversions a trigger starts."""
        if self.registers[CR1] & CR1_DISCEN:
            return min((self.registers[CR1] >> 13 & 7) + 1, self._length - self._at)
        return self._length - self._at

    def _channel(self) -> int:
        register, place = divmod(self._at, 6)
        return self.registers[(SQR3, SQR2, SQR1)[register]] >> 5 * place & 0x1F

    def _convert_next(self) -> None:
        channel = self._converting[0] if self._converting else self._channel()
        self._event = self._block.bus.schedule(self._cycles(channel), self._converted)

    def _cycles(self, channel: int) -> int:
        """Sampling time and one ADCCLK for each bit (section 13.5)."""
        register, place = (SMPR2, channel) if channel < 10 else (SMPR1, channel - 10)
        sampling = SAMPLING_CYCLES[self.registers[register] >> 3 * place & 7]
        clocks = self._block.bus.clocks()
        divider = 2 * ((self._block.common >> 16 & 3) + 1)
        adc_cycles = sampling + self._bits
        return adc_cycles * divider * max(clocks.hclk_hz // clocks.pclk2_hz, 1)

    @property
    def _bits(self) -> int:
        return RESOLUTION_BITS[self.registers[CR1] >> 24 & 3]

    def _measure(self, channel: int) -> int:
        top = (1 << self._bits) - 1
        return min(max(int(self._block.voltage(self._number, channel) * (top + 1)), 0), top)

    def _converted(self) -> None:
        self._event = None
        if self._converting:
            self._end_injected(self._converting.pop(0))
        else:
            self._end_regular(self._channel())
        self._block.update_irq()

    def _end_injected(self, channel: int) -> None:
        value = self._measure(channel)
        self._watch(channel, value, CR1_JAWDEN)
        offset = self.registers[JOFR1 + 4 * self._injected_done]
        self.registers[JDR1 + 4 * self._injected_done] = self._aligned(value - offset) & 0xFFFF
        self._injected_done += 1
        if self._converting:
            self._convert_next()
            return
        self.registers[SR] |= SR_JEOC
        if self.registers[SR] & SR_STRT and (self._at or self.registers[CR2] & CR2_CONT):
            self._convert_next()

    def _end_regular(self, channel: int) -> None:
        value = self._measure(channel)
        self._watch(channel, value, CR1_AWDEN)
        control = self.registers[CR2]
        self._at += 1
        self._left -= 1
        ended = self._at >= self._length
        if ended:
            self._at = 0
        if not self._deliver(self._aligned(value)):
            return
        if ended or control & CR2_EOCS:
            self.registers[SR] |= SR_EOC
        if control & CR2_DMA and not self._dma_ended:
            self._request(ended)
        if ended and self.registers[CR1] & CR1_JAUTO:
            self.start_injected()
        elif not ended and self._left:
            self._convert_next()
        elif ended and control & CR2_CONT:
            self._left = self._part()
            self._convert_next()

    def _deliver(self, value: int) -> bool:
        """Into DR; a result that nobody took is an overrun, where overruns are watched."""
        watched = self.registers[CR2] & (CR2_DMA | CR2_EOCS)
        if watched and self._dr_is_unread:
            self.registers[SR] |= SR_OVR  # DR keeps what it has (section 13.8.1)
            return False
        self.registers[DR] = value
        self._dr_is_unread = True
        return True

    def _request(self, ended: bool) -> None:
        """A DMA that has ended takes no more until DMA is cleared, unless DDS is set (13.8.1)."""
        served = self._block.bus.dma_request(self.name)
        if not served and not self.registers[CR2] & CR2_DDS:
            self._dma_ended = True

    def _aligned(self, value: int) -> int:
        return value << 4 if self.registers[CR2] & CR2_ALIGN else value

    def _watch(self, channel: int, value: int, enable: int) -> None:
        control = self.registers[CR1]
        watched = not control & CR1_AWDSGL or control & 0x1F == channel
        value <<= 12 - self._bits
        inside = self.registers[LTR] <= value <= self.registers[HTR]
        if control & enable and watched and not inside:
            self.registers[SR] |= SR_AWD

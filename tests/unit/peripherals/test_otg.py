"""RM0090 chapter 34, as quoted: a port without a cable."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.links import otg
from boardless_sim.peripherals.links.otg import Otg
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="OTG", source="RM0090 chapter 34")

IRQ = 67


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Otg:
    device = Otg("OTG_FS", IRQ)
    bus.place(0x5000_0000, device)
    return device


@pytest.mark.parametrize("bit", [0, 4, 5])
def test_resets_and_flushes_end_by_themselves(device: Otg, bit: int) -> None:
    """34.16.2: CSRST, RXFFLSH and TXFFLSH are cleared by the core; AHBIDL says that it is idle."""
    device.write(otg.GRSTCTL, 4, 1 << bit)
    assert device.read(otg.GRSTCTL, 4) == otg.GRSTCTL_AHBIDL


def test_a_core_reset_clears_the_endpoints(device: Otg) -> None:
    at = otg.IN + otg.ENDPOINT
    device.write(at, 4, otg.EPCTL_USBAEP | 64)
    device.write(otg.GRSTCTL, 4, 1)
    assert device.read(at, 4) == 0


def test_the_mode_is_a_device_unless_a_host_is_forced(device: Otg) -> None:
    """34.16.2, GUSBCFG: FHMOD forces the host, whatever the ID pin says."""
    assert not device.read(otg.GINTSTS, 4) & otg.GINTSTS_CMOD
    device.write(otg.GUSBCFG, 4, otg.GUSBCFG_FHMOD)
    assert device.read(otg.GINTSTS, 4) & otg.GINTSTS_CMOD
    device.write(otg.GUSBCFG, 4, otg.GUSBCFG_FDMOD)
    assert not device.read(otg.GINTSTS, 4) & otg.GINTSTS_CMOD


def test_an_endpoint_is_enabled_and_disabled(device: Otg) -> None:
    """34.16.4: EPDIS stops it, and EPDISD says so."""
    at = otg.IN + otg.ENDPOINT
    device.write(at, 4, otg.EPCTL_EPENA | otg.EPCTL_CNAK | 64)
    assert device.read(at, 4) == otg.EPCTL_EPENA | 64
    device.write(at, 4, otg.EPCTL_EPDIS | otg.EPCTL_SNAK | 64)
    assert device.read(at, 4) == otg.EPCTL_NAKSTS | 64
    assert device.read(at + 8, 4) & otg.EPINT_EPDISD
    device.write(at + 8, 4, otg.EPINT_EPDISD)
    assert not device.read(at + 8, 4) & otg.EPINT_EPDISD


def test_no_host_comes(bus: FakeBus, device: Otg) -> None:
    device.write(otg.GINTMSK, 4, 0xFFFF_FFFF & ~(otg.GINTSTS_NPTXFE | otg.GINTSTS_PTXFE))
    device.write(otg.GAHBCFG, 4, otg.GAHBCFG_GINTMSK)
    device.write(otg.DCTL, 4, 0)
    bus.run(168_000_000)
    assert not bus.irqs.get(IRQ)
    device.write(otg.GINTMSK, 4, otg.GINTSTS_NPTXFE)
    assert bus.irqs[IRQ]
    device.reset()
    assert not bus.irqs[IRQ]

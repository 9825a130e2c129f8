"""The reference board: an STM32F407VG, an 8 MHz crystal, an OV7670 on its DCMI."""

from boardless_sim.boards.board import Board, CameraWiring
from boardless_sim.chips.stm32f4 import stm32f4

REFERENCE = Board(
    name="stm32f407vg",
    chip=stm32f4("stm32f407vg"),
    crystal_hz=8_000_000,
    watch_crystal_hz=32_768,
    camera=CameraWiring(sensor="ov7670", bus="I2C1", xclk="MCO1"),
)

"""The reference board: an STM32F407VG, an 8 MHz crystal, an OV7670 on its DCMI."""

from boardless_sim.boards.plan import PLAIN, make_board

REFERENCE = make_board(PLAIN)

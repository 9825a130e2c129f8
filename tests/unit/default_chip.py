"""The virtual board's own chip as regions: what a project has that says nothing of its memory."""

from boardless.project.chip import DEFAULT_CHIP, chip_regions

STM32F407VG = chip_regions(DEFAULT_CHIP)

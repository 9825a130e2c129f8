"""The reader of a firmware image under the name by which scripts import it."""

from boardless_sim.elf.image import FirmwareImage, load_image

__all__ = ["FirmwareImage", "load_image"]

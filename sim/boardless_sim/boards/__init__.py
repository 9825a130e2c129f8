"""A chip with its crystals and what is wired to it, as data, and the devices built from that.

May import chips, the core, peripherals, the camera.
"""

"""A chip with a crystal, its wiring, and what hangs on it.

May import chips, peripherals and the camera.
"""

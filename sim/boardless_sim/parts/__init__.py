"""What hangs on the chip's pins and buses besides the camera: displays, servos, LEDs.

May import the peripherals' seam. A part notes what it saw and when; nothing here judges it.
"""

"""From video to the device: events, commands, signed packets, and what carries them.

May import the virtual board (a port to it is one of the carriers) and the errors. Nothing of the
extra `gateway` is imported before it is used.
"""

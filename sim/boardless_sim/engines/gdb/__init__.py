"""Engines behind GDB's remote protocol: QEMU."""

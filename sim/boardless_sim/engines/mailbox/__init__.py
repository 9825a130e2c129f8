"""Frames through a mailbox in memory, for engines without a camera."""

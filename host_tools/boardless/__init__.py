"""Test STM32 camera firmware without the board."""

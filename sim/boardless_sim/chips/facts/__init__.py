"""Facts of STM32F4 parts, a JSON for each line of parts, as tools/chips.py made them."""

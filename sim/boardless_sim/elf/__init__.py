"""The one reader of ELF files: image, symbols, lines, frames, the linker's map, Thumb code.

May import errors only.
"""

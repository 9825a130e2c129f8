"""The CPU: a small C core on top of Unicorn, and its Python face.

The only room that may import unicorn; beside it the ELF reader's Thumb decoder and errors.
"""

"""Engines against each other on the same ELF, and what each is known to answer in its own way.

May import running, project and the engines.
"""

"""A verdict of the gate: for a terminal, a pull request, a code scanner, a page.

Each module is one form and a pure function to text. May import gate, size and project.
"""

"""What an ELF occupies: regions, symbols, who they come from. Figures only, no budget.

May import the ELF reader and the project's limits.
"""

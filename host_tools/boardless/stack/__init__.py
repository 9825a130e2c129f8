"""Worst-case stack from the ELF alone: SP through the code, the worst walk, interrupts on top.

May import the ELF reader and the TOML reader of project.
"""

from boardless.project.annotations import StackAnnotations
from boardless.stack.analyse import analyse, analyse_stack
from boardless.stack.interrupts import SUPPOSED
from boardless.stack.report import Confidence, IndirectSite, StackReport
from boardless.stack.why import explain, suggest

__all__ = [
    "SUPPOSED",
    "Confidence",
    "IndirectSite",
    "StackAnnotations",
    "StackReport",
    "analyse",
    "analyse_stack",
    "explain",
    "suggest",
]

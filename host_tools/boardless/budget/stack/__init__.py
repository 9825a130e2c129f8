"""Worst-case stack from the ELF alone: SP through the code, the worst walk, interrupts on top."""

from boardless.budget.stack.analyse import analyse, analyse_stack
from boardless.budget.stack.annotations import StackAnnotations, from_table
from boardless.budget.stack.interrupts import SUPPOSED
from boardless.budget.stack.report import Grade, StackReport
from boardless.budget.stack.why import explain, suggest

__all__ = [
    "SUPPOSED",
    "Grade",
    "StackAnnotations",
    "StackReport",
    "analyse",
    "analyse_stack",
    "explain",
    "from_table",
    "suggest",
]

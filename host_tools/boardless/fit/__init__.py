"""What a model needs, held against every STM32 part: pure figures, no board and no run.

May import the model line and the errors.
"""

"""What a user's project says of itself: boardless.toml, its limits, its model, its machine.

May import the virtual board's data and nothing of the tools.
"""

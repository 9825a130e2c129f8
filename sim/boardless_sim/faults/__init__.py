"""What goes wrong at the board's edge: a fault wraps a sensor and says when it can apply.

May import the camera.
"""

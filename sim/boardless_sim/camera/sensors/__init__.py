"""Image sensors, one part number a file (a large one splits off what it computes).

May import the camera's seams: frame, scene, parallel lines.
"""

"""Devices of the chip, one a file, against a bus that a test can fake.

May import the camera's lines and errors; knows neither core nor board.
"""

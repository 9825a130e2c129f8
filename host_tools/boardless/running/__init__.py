"""A firmware on a board: power on, show frames, wait for results, gather evidence.

May import the project and the engines; knows neither commands nor reports.
"""

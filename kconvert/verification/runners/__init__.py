"""Runners: where each side of a verification runs.

`Here` runs a side in this process, `Process` in a separate one: if a framework hangs, crashes or uses all memory there,
nothing else stops. `RealKeras` runs a file in a real Keras of another interpreter. `open_runner` chooses.
"""

"""Runners: where each side of a verification runs.

`Here` is this process, `Process` one of its own: a framework that hangs, crashes or takes all memory there
stops nothing else. `RealKeras` runs a file in a real Keras of another interpreter. `open_runner` chooses.
"""

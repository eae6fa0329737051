"""The parts of `kconvert.keras1` that are not classes or functions of kconvert."""

"""The parts of the Keras modules that are not models, layers or components of kconvert."""

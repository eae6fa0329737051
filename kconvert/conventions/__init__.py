"""Facts about Keras as tables: backends, generations of files, what weights are, how they are stored."""

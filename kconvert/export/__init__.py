"""Export: programs for other runtimes, made from the network that a conversion for TensorFlow gives."""

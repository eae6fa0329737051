"""Export: writes programs for other runtimes from the network that was converted for TensorFlow."""

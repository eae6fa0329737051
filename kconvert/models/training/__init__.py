"""Training: initializers, regularizers, constraints, losses, metrics, optimizers and callbacks of Keras 2.3.1."""

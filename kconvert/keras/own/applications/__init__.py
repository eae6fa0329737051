"""The networks of `keras.applications`: architectures of Keras 2.3.1, with its names of layers."""

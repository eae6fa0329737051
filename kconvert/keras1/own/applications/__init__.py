"""The networks of `keras.applications` of Keras 1.2.2."""

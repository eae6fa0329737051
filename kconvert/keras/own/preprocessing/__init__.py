"""The modules of `keras.preprocessing`, which the package keras-preprocessing has."""

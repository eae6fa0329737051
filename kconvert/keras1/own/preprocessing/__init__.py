"""The modules of `keras.preprocessing` of Keras 1.2.2, on those of the package keras-preprocessing."""

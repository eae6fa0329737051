"""The data sets of Keras 1.2.2, in its files and with its arguments."""

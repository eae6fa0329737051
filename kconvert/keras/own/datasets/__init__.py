"""The data sets of `keras.datasets`: local files of Keras, or seeded data of the same shapes. Nothing is downloaded."""

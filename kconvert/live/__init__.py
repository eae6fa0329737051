"""Live models: models of Keras 3 and tf_keras in this process, which take the weights of old files."""

"""Live models: loads old files into models of Keras 3 and tf_keras in this process."""

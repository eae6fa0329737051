"""What the modules of Keras have beside the models, layers and components of kconvert."""

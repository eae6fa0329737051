"""Random small architectures with random weights, for the laws about whole models.

A draft grows layer by layer: a tensor is chosen, then a layer that can take it; branches come about by
choosing an older tensor, and close again by merging. Layers may be called again elsewhere, and models
stand in models. What comes out is a graph that Keras could have built, with all loose ends as outputs.
"""

from .runs import bound, checkpoint_of, random_inputs, random_weights
from .strategies import architectures

__all__ = ["architectures", "bound", "checkpoint_of", "random_inputs", "random_weights"]

"""Files of safetensors, with all that a Keras file says in their metadata; no library is needed for them."""

from .reader import is_safetensors, read
from .writer import write

__all__ = ["is_safetensors", "read", "write"]

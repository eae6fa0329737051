"""Safetensors files, whose metadata hold the attributes of a Keras file. They are read without a library."""

from .reader import is_safetensors, read
from .writer import write

__all__ = ["is_safetensors", "read", "write"]

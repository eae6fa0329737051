"""Weight files and `Checkpoint` values: raw arrays, names and attributes."""

"""What `kconvert.keras1` has beside the classes and functions of kconvert."""

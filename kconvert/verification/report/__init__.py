"""Reports: the forms in which a `Report` is drawn."""

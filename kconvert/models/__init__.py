"""What users hold: models that train, predict, save and load."""

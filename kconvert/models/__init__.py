"""The models that users hold: they train, predict, save and load."""

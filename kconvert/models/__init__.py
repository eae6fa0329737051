"""The models of users, which train, predict, save and load."""

"""The words of every Keras generation and today's, JSON to JSON."""

"""Networks: graphs of layers as data."""

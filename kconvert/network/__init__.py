"""Networks: graphs of layers as data, and what reads, writes, runs and draws them."""

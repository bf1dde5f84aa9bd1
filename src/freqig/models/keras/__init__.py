"""Keras: models, and `.keras` files, which are read within limits."""

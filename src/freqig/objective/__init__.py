"""The explained scalar of a batch of points, and whether a model can be trusted with it."""

"""Worked examples: a model is trained, explained, and the explanation checked against what is known."""

"""From signals to attributions: one call of an Explainer, and what it is made of."""

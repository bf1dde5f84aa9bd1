"""Averages of groups: one random shift per sample, and rounds of them until the means are known."""

"""The leaderboard of explanations where the truth is known: methods × problems × metrics, by seed.

`benchmarks/truth.py` runs it. A method is added by one file in `leaderboard/methods/` that holds a list
`METHODS` of `Method`; nothing else has to know of it. A problem is a row of `cases.CASES`.
"""

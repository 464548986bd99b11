"""The page of `remogpt serve`: a tab for each thing that can be done, over the same service as the HTTP API.

What a tab writes is HTML of our own (`cards`), in which everything that comes from people or files is escaped; motions
play in the project's player. Nothing is loaded from another machine.
"""

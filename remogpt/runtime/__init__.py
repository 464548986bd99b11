"""Shared infrastructure: errors, atomic files, seeds, progress, model folders, the training loop.

Nothing here knows what a motion is, and nothing here imports another room.
"""

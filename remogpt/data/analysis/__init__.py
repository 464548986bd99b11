"""Analyse a set: feature statistics, similar captions, dissimilar subsets."""

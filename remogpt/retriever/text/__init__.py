"""Captions before they reach a network: canonical wording, frozen text models, caches."""

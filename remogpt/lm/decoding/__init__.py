"""Writing ids with the T5: inference weights, key-value cache, sampling."""

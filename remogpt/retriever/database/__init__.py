"""Captioned motions to search: entries, files, index, routes, neighbours, body-part search."""

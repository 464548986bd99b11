"""Check every body that comes in from a file: upright, of human size, sides as named, bones rigid, speed human.

What is certain is mended and said; what is not is refused with what was found and the option that settles it.
"""

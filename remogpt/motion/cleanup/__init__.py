"""Clean a generated body: bones of constant length, and feet that rest where they stand.

A decoder writes each joint for itself, so that bones stretch and standing feet drift. `clean.clean_features` mends the
bones first (`bones`), then the feet (`contacts` finds when they rest, `feet` holds them), and writes the features anew
(`rewrite`). Timing and headings stay as they are, and hands and head where the bones let them be.
"""

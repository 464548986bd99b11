"""The tasks of an evaluation: each takes a `Run` and a split, and yields named results with their cards."""

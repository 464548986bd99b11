"""Following retrieved examples: the match test, the copy head, and the mixers of its evidence."""

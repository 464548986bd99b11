"""An evaluation run: its configuration, modes, samples, and files of other people's answers."""

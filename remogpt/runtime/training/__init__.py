"""The training loop, its run folder, seeds, trackers and several processes."""

"""The parts of the retrieval study: sets, texts, variants, runs, scores, summary."""

"""Training a retriever: pairs, losses, batches, the loop."""

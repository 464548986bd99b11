"""Networks that score motions and captions: Guo et al.'s, or any retriever."""

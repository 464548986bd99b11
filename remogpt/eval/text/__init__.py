"""Pure metrics of captions: tokens, BLEU, ROUGE-L, CIDEr, BERTScore."""

"""Training the language model: samples, span corruption, LoRA, the training stage."""

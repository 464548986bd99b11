"""Turn motion into tokens and back: a VQ-VAE with one code for four frames of raw features.

Letters: `B` batch, `T` frames, `N` codes = T / 4, `F` features, `D` width of a codebook row, `K` codebook size.
"""

from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer

__all__ = ["MotionTokenizer"]

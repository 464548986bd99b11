"""Motion as tokens: a VQ-VAE that turns four frames of raw features into one code, and codes into motion.

Letters: `B` batch, `T` frames, `N` codes = T / 4, `F` features, `D` width of a codebook row, `K` codebook size.
"""

from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer

__all__ = ["MotionTokenizer"]

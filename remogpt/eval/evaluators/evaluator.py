"""Evaluators: networks that put captions and motions into one space, in which generation is scored.

R-precision, MM-dist, FID, Diversity and MultiModality are functions of such embeddings, so a number means something
only beside the name of its evaluator. Anything that fits `remogpt.interfaces.Evaluator` can be one; two are here, for
the networks of Guo et al. and for a retriever, which arrives as an argument.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from remogpt.eval.text.tokenize import tagged_tokens
from remogpt.interfaces import Retriever
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.eval.evaluators.guo import GuoEvaluator


class GuoNetworks:
    """Guo et al.'s networks; distances in their space are Euclidean.

    Args:
        evaluator: either variant; `unpacked` embeds a motion together with the 31 that follow it, so order matters.
        trained_on: training data, if known.
    """

    def __init__(self, evaluator: "GuoEvaluator", trained_on: str | None = None) -> None:
        self.evaluator, self.trained_on = evaluator, trained_on
        self.name, self.hash = evaluator.name, evaluator.hash

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Embed captions: (N, D) float32.

        Args:
            captions: N sentences.
            tokens: `lemma/POS` tokens of each; captions that come without any are tagged as HumanML3D tagged its own.

        Raises:
            RemogptError: if there are more or fewer tokens than captions, or spaCy is needed and not installed.
        """
        given = [list(row) for row in check_texts(captions, tokens)]
        bare = [index for index, row in enumerate(given) if not row and captions[index].strip()]
        for index, tagged in zip(bare, tagged_tokens([captions[index] for index in bare]), strict=True):
            given[index] = list(tagged)
        return self.evaluator.encode_text(given)

    def encode_motion(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Embed raw features, (T, 263) each: (N, D) float32."""
        return self.evaluator.encode_motion(features)


class RetrieverAsEvaluator:
    """A retriever as an evaluator; its rows have length one.

    Args:
        retriever: anything that embeds captions and motions and has a hash.
        name: to write beside numbers.
        trained_on: training data, if known.
    """

    def __init__(self, retriever: Retriever, name: str, trained_on: str | None = None) -> None:
        self.retriever, self.name, self.trained_on = retriever, name, trained_on
        self.hash = retriever.hash

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Embed captions as they are written; tokens are not read. (N, D) float32."""
        check_texts(captions, tokens)
        return self.retriever.encode_text(captions)

    def encode_motion(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Embed raw features, (T, 263) each: (N, D) float32."""
        return self.retriever.encode_motion(features)


def check_texts(captions: Sequence[str], tokens: Sequence[Sequence[str]] | None) -> Sequence[Sequence[str]]:
    """Return the tokens of each caption, empty where there are none.

    Raises:
        RemogptError: if captions are one string, or there are more or fewer tokens than captions.
    """
    if isinstance(captions, str):
        raise RemogptError("an evaluator wants a list of captions, got one string; put it in a list")
    if tokens is not None and len(tokens) != len(captions):
        raise RemogptError(
            f"{len(captions)} captions came with the tokens of {len(tokens)}; give a list of tokens for each caption, "
            "empty where it has none"
        )
    return [()] * len(captions) if tokens is None else tokens

"""Settings of an evaluation: what is evaluated, on how many items, and how often."""

from dataclasses import dataclass, fields
from typing import Any

from remogpt.eval.captioning import PROTOCOLS
from remogpt.interfaces import Route
from remogpt.options import GenerationOptions
from remogpt.runtime.errors import RemogptError

TASK_NAMES = ("tokenizer", "retrieval", "generation", "facts", "captioning", "rare", "swap")
"""Tasks of an evaluation, in the order in which `all` runs them; each is a command of its own."""


@dataclass(frozen=True)
class EvalConfig:
    """Settings of an evaluation: what is evaluated, on how many items, and how often."""

    splits: tuple[str, ...] = ("test", "test_unseen")
    """Split files; one that the set lacks, or that is empty, is left out and named in the report."""
    num_tokenizer: int = 500
    """Clips of a split that are encoded and decoded; 0 for all. Subsets are drawn with the seed."""
    num_retrieval: int = 0
    """Clips of the gallery; 0 for all."""
    num_generation: int = 200
    """Captions for which a motion is written; 0 for all. Facts, rare prompts and swaps use the same ones."""
    num_captioning: int = 200
    """Motions for which a caption is written; 0 for all."""
    batch_size: int = 16
    """Motions or captions written at a time."""
    best_of: tuple[int, ...] = (1, 8)
    """Candidates for each motion or caption, of which the model's retriever keeps the best; each number is reported
    apart, and swaps take the first."""
    routes: tuple[Route, ...] = ()
    """Routes by which the model's examples are retrieved, in the prompt's order; none: as the model was trained."""
    k: int | None = None
    """Examples of each route; None: as the model was trained."""
    modes: tuple[str, ...] = ()
    """Ways in which a model answers that are evaluated, by the names in the report; all of them by default."""
    generations: int = 1
    """Times that the motions of a split are generated anew; papers report 20. With several, they are the repeats."""
    repeats: int = 20
    """Draws of pools (R-precision) and of pairs (Diversity), of which mean and 95 % interval are reported."""
    num_multimodal: int = 0
    """Captions for which several motions are written to measure MultiModality; papers use 100."""
    multimodal_generations: int = 30
    """Motions for each of them."""
    true_length: bool = False
    """Give the generator the real motion's length (9.8 s at most), as some published evaluations do."""
    cleanup: bool = True
    """Score written motions with constant bones and planted feet, as users get them; false: as decoded, like papers."""
    allow_overlap: bool = False
    """Evaluate although a database holds clips of an evaluated split, their sources or mirror images."""
    controls: bool = True
    """Score real motions, the best retrieved motion and the nearest training motion beside the model's."""
    memorisation: bool = True
    """Measure how near generated motions lie to the training split (embeds all of it, once)."""
    caption_protocols: tuple[str, ...] = ("raw", "ptb")
    """Any of raw, ptb, metricverse, lemma."""
    bertscore: str = ""
    """Name or folder of the model for BERTScore; none without it. Papers: roberta-large."""
    bertscore_rescaled: bool = False
    """Rescale BERTScore with the baseline of its model, as TM2T and MotionGPT do."""
    threshold: float = 0.95
    """Threshold of retrieval's threshold protocol, on the scale (cos + 1) / 2."""
    dissimilar: str = ""
    """List of ids, the gallery of retrieval's protocol nsim; default: the set's own, nsim_<split>.txt."""
    rare_share: float = 0.05
    """Share of prompts that count as rare."""
    num_bins: int = 10
    """Ranges of rareness."""
    seed: int = 0
    """Seed of subsets, captions, pools and sampling."""

    @property
    def shown(self) -> dict[str, Any]:
        """Those of routes and k that are given: fields of `GenerationOptions`, and entries of cards."""
        routes = {"routes": list(self.routes)} if self.routes else {}
        return routes if self.k is None else {**routes, "k": self.k}

    def __post_init__(self) -> None:
        GenerationOptions(**self.shown)  # refuses what are no routes
        if not self.splits:
            raise RemogptError("no split to evaluate; give at least one, such as test")
        for field in fields(self):
            least = {"seed": 0, "batch_size": 1, "generations": 1, "repeats": 1, "num_bins": 1}.get(field.name, 0)
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < least:
                raise RemogptError(f"{field.name} must be at least {least}, came {value}")
        if not self.best_of or min(self.best_of) < 1:
            raise RemogptError(f"best_of must be numbers of at least 1, came {self.best_of}")
        unknown = [name for name in self.caption_protocols if name not in PROTOCOLS]
        if unknown or not self.caption_protocols:
            raise RemogptError(f"caption_protocols must be some of {', '.join(PROTOCOLS)}, came {unknown or 'none'}")
        if not 0.0 <= self.threshold <= 1.0:
            raise RemogptError(f"threshold must lie between 0 and 1, came {self.threshold}")
        if not 0.0 < self.rare_share <= 1.0:
            raise RemogptError(f"rare_share must lie above 0 and not above 1, came {self.rare_share}")
        if self.num_multimodal and self.multimodal_generations < 2:
            raise RemogptError(f"multimodal_generations must be at least 2, came {self.multimodal_generations}")

"""What a client may ask, as JSON: fields, bounds, and what they mean to the pipeline."""

import secrets
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from remogpt.interfaces import Route
from remogpt.options import ExampleUse, GenerationOptions
from remogpt.runtime.errors import RemogptError

Text = Annotated[str, StringConstraints(max_length=4000)]
Ids = Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
DatabaseName = Annotated[str, StringConstraints(max_length=64)]
Include = Literal["joints", "features", "codes"]
_MOST_MOTIONS = 64
"""Motions of one request."""


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Options(_Question):
    """How answers are written: fields of `remogpt.GenerationOptions`, None for the model's own choice."""

    examples: ExampleUse = "follow"
    strength: Annotated[Finite, Field(ge=0, le=100)] | None = None
    exclude: Ids = []
    pinned: Ids = []
    routes: Annotated[list[Route], Field(min_length=1, max_length=4)] | None = None
    k: Annotated[int, Field(ge=1, le=64)] | None = None
    min_score: Annotated[Finite, Field(ge=-1, le=1)] = -1.0
    max_alike: Annotated[Finite, Field(ge=-1, le=1)] = 1.0
    best_of: Annotated[int, Field(ge=1, le=32)] | None = None
    check_numbers: bool = True
    retrieved: Annotated[int, Field(ge=0, le=64)] | None = None
    joined: Annotated[int, Field(ge=0, le=64)] | None = None
    fact_weight: Annotated[Finite, Field(ge=0, le=100)] | None = None
    verify: bool | None = None
    cleanup: bool = True
    temperature: Annotated[Finite, Field(ge=0, le=10)] | None = None
    guidance: Annotated[Finite, Field(gt=0, le=10)] | None = None
    top_k: Annotated[int, Field(ge=0, le=100_000)] | None = None
    top_p: Annotated[Finite, Field(gt=0, le=1)] | None = None

    def for_pipeline(self) -> GenerationOptions:
        """Return them as the pipeline takes them."""
        return GenerationOptions(**self.model_dump())


class GenerateQuestion(_Question):
    """Captions to write motions for. Each is answered as if it were asked for alone with its seed."""

    text: Text | Annotated[list[Text], Field(min_length=1, max_length=_MOST_MOTIONS)] = Field(
        description="One caption, or a list of them.", examples=["a person waves with the right hand"]
    )
    seconds: Annotated[Finite, Field(gt=0, le=60)] | None = Field(
        default=None, description="0.4 to 60; null: the model chooses"
    )
    num_samples: Annotated[int, Field(ge=1, le=16)] = Field(default=1, description="motions for each caption")
    seed: Seed | list[Seed] | None = Field(
        default=0,
        description="same seed, same motion; a list holds one for each caption; null: drawn, and told in the answer",
    )
    database: DatabaseName | None = Field(
        default=None, description="name of a database, see /v1/databases; null: the model's"
    )
    options: Options = Options()
    include: list[Include] = Field(default=[], description="arrays to put into a JSON answer")

    @property
    def texts(self) -> list[str]:
        """The captions, as a list."""
        return [self.text] if isinstance(self.text, str) else self.text

    def seeds(self) -> list[int]:
        """Return a seed for each caption.

        Raises:
            RemogptError: if there are not as many.
        """
        if isinstance(self.seed, list):
            if len(self.seed) != len(self.texts):
                raise RemogptError(f"seed has {len(self.seed)} seeds for {len(self.texts)} captions; give one each")
            return self.seed
        return [secrets.randbelow(2**31) if self.seed is None else self.seed for _ in self.texts]


class CaptionQuestion(_Question):
    """How motion files are captioned."""

    seed: Seed = 0
    database: DatabaseName | None = None
    options: Options = Options()


class SearchQuestion(_Question):
    """What to search a database for: words, or a motion that comes as a file."""

    text: Text | None = Field(default=None, description="words", examples=["a person kicks with the left leg"])
    k: Annotated[int, Field(ge=1, le=100)] = 5
    route: Literal["t2m", "t2t", "m2t", "m2m"] | None = None
    part: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="rank by these body parts alone, with commas between: right_arm, legs, ..."
    )
    min_score: Annotated[Finite, Field(ge=-1, le=1)] = -1.0
    database: DatabaseName | None = None


class SimilarityQuestion(_Question):
    """Captions to compare with each other, or with motions that come as files."""

    texts: Annotated[list[Text], Field(max_length=200)] = []

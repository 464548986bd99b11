"""The main path: a caption becomes a motion, a motion becomes a caption, with retrieved examples in between.

caption ─┐                                                    ┌─► codes ─► tokenizer ─► features ─► joints
         ├─► retriever ─► database ─► examples ─► prompt ─► T5
motion ──┘                                                    └─► caption

model = ReMoGPT.from_pretrained()                      # the embedded `mini`
model.generate("a person waves")[0].motion.save("wave.bvh")
model.caption(load_motion("wave.bvh")).text

Both ways are six steps over one object: plan, retrieve, ask, write, choose, assemble; written captions are checked
before the last one. `generation` has the steps for a `Segment` of a motion that is written, `captioning` for a `Window`
of a motion that is read; `ReMoGPT` calls them in order.
"""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.options import GenerationOptions
    from remogpt.pipeline.captioning import Captioned, Window
    from remogpt.pipeline.remogpt import ReMoGPT
    from remogpt.pipeline.segment import Generated, Segment

__all__ = ["Captioned", "Generated", "GenerationOptions", "ReMoGPT", "Segment", "Window"]

_HOMES = {
    "Captioned": "remogpt.pipeline.captioning",
    "Generated": "remogpt.pipeline.segment",
    "GenerationOptions": "remogpt.options",
    "ReMoGPT": "remogpt.pipeline.remogpt",
    "Segment": "remogpt.pipeline.segment",
    "Window": "remogpt.pipeline.captioning",
}

# Lazy: what can be refused before a model is loaded (`checks`) needs no torch.
__getattr__ = lazy_names(__name__, _HOMES)

"""Map the names of T2M-GPT's and MotionGPT's VQ-VAE weights to ours.

The reference networks are `nn.Sequential` lists, so their state dicts are numbered:
`encoder.model.2.1.model.0.conv1.weight` is ours as `encoder.stages.0.residuals.0.dilated.weight`. MotionGPT's
checkpoints hold the same names under the prefix `vae.`, T2M-GPT's under `vqvae.` or none; strip it first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

CODEBOOK = "quantizer.codebook"


def reference_key_map(num_stages: int = 2, depth: int = 3) -> dict[str, str]:
    """Map every key of the reference's state dict to ours, for `num_stages` stages of `depth` residual units."""
    modules = {
        "encoder.model.0": "encoder.input",
        f"encoder.model.{num_stages + 2}": "encoder.output",
        "decoder.model.0": "decoder.input",
        f"decoder.model.{num_stages + 2}": "decoder.hidden",
        f"decoder.model.{num_stages + 4}": "decoder.output",
    }
    for stage in range(num_stages):
        encoder, decoder = f"encoder.model.{stage + 2}", f"decoder.model.{stage + 2}"
        modules[f"{encoder}.0"] = f"encoder.stages.{stage}.down"
        modules[f"{decoder}.2"] = f"decoder.stages.{stage}.up"
        for unit in range(depth):
            # The encoder's residual units come second in a stage, the decoder's first.
            for theirs, ours in ((f"{encoder}.1", "encoder"), (f"{decoder}.0", "decoder")):
                here = f"{ours}.stages.{stage}.residuals.{unit}"
                modules[f"{theirs}.model.{unit}.conv1"] = f"{here}.dilated"
                modules[f"{theirs}.model.{unit}.conv2"] = f"{here}.pointwise"
    names = {f"{theirs}.{leaf}": f"{ours}.{leaf}" for theirs, ours in modules.items() for leaf in ("weight", "bias")}
    return {**names, CODEBOOK: CODEBOOK}


def from_reference(state: Mapping[str, Tensor], num_stages: int = 2, depth: int = 3) -> dict[str, Tensor]:
    """Rename a reference state dict to our names.

    Raises:
        RemogptError: if names are missing or unknown, with the first few of each.
    """
    names = reference_key_map(num_stages, depth)
    missing = [key for key in names if key not in state]
    unknown = [key for key in state if key not in names]
    if missing or unknown:
        raise RemogptError(
            f"the checkpoint is not a T2M-GPT VQ-VAE of {num_stages} stages with {depth} residual units: wanted "
            f"{len(names)} tensors, {len(missing)} are missing (first: {missing[:3]}), {len(unknown)} are unknown "
            f"(first: {unknown[:3]}). "
            "Strip a prefix such as 'vqvae.' or 'vae.', or give the right depth."
        )
    return {names[key]: tensor for key, tensor in state.items()}


def tokenizer_from_reference(state: Mapping[str, Tensor], mean: Tensor, std: Tensor) -> MotionTokenizer:
    """Build our tokenizer from a reference VQ-VAE's weights, whose shapes give the sizes.

    Args:
        state: under the reference's names, codebook included.
        mean, std: (F,) of the raw features that the VQ-VAE was trained on.

    Raises:
        RemogptError: if names are missing or unknown, a shape does not fit, or the statistics do not fit.
    """
    stages = [name for name in state if re.fullmatch(r"encoder\.model\.\d+\.0\.weight", name)]
    units = [name for name in state if re.fullmatch(r"encoder\.model\.2\.1\.model\.\d+\.conv1\.weight", name)]
    num_stages, depth = len(stages) or 2, len(units) or 3
    renamed = from_reference(state, num_stages, depth)
    width, num_features = renamed["encoder.input.weight"].shape[:2]
    num_codes, code_dim = renamed[CODEBOOK].shape
    config: dict[str, Any] = {
        "num_features": num_features,
        "width": width,
        "num_codes": num_codes,
        "code_dim": code_dim,
        "num_stages": num_stages,
        "depth": depth,
    }
    vqvae = MotionVQVAE(**config)
    ours = vqvae.state_dict()
    for theirs, name in reference_key_map(num_stages, depth).items():
        if renamed[name].shape != ours[name].shape:
            raise RemogptError(
                f"{theirs} has shape {tuple(renamed[name].shape)}, wanted {tuple(ours[name].shape)} in a VQ-VAE of "
                f"width {width} with codes {code_dim} wide; this is another network than T2M-GPT's"
            )
    if not len(mean) == len(std) == num_features:
        raise RemogptError(
            f"mean and std have {len(mean)} and {len(std)} channels, but the weights read {num_features}; give the "
            "statistics that the tokenizer was trained with"
        )
    vqvae.load_state_dict({**ours, **{name: tensor.float() for name, tensor in renamed.items()}}, strict=True)
    vqvae.quantizer.restart_()
    return MotionTokenizer(vqvae, Normalizer(mean, std), config)

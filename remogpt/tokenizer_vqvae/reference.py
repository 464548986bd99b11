"""Names of T2M-GPT's and MotionGPT's VQ-VAE weights, mapped to ours.

The reference networks are `nn.Sequential` lists, so their state dicts are numbered:
`encoder.model.2.1.model.0.conv1.weight` is ours as `encoder.stages.0.residuals.0.dilated.weight`. MotionGPT's
checkpoints hold the same names under the prefix `vae.`, T2M-GPT's under `vqvae.` or none; strip it first.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from remogpt.runtime.errors import RemogptError

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

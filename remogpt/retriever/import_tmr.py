"""Import TMR's released weights: names are mapped to ours, sizes are read off the shapes.

TMR publishes one file for each module (`text_encoder.pt`, `motion_encoder.pt`, `motion_decoder.pt`), whose names lack
the module's; its training checkpoints hold all three under full names. Either is mapped strictly: one name too many or
too few, or one shape that does not fit, is an error.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.runtime.errors import RemogptError

MODULES = ("text_encoder", "motion_encoder", "motion_decoder")
_THEIR_NAMES = {"embed": "projection", "output": "final_layer"}
_THEIR_LAYERS = {"motion_decoder": "seqTransDecoder"}


def join_modules(files: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Put the tensors of released files together under full names.

    Args:
        files: tensors by the file's stem; a stem of `MODULES` names the module that the tensors belong to.

    Raises:
        RemogptError: if two files hold one tensor.
    """
    joined: dict[str, Tensor] = {}
    for stem, tensors in files.items():
        prefix = f"{stem}." if stem in MODULES and not any(name.startswith(f"{stem}.") for name in tensors) else ""
        twice = [name for name in tensors if prefix + name in joined]
        if twice:
            raise RemogptError(f"two of the files hold {prefix}{twice[0]}; give each module once")
        joined |= {prefix + name: tensor for name, tensor in tensors.items()}
    return joined


def their_name(name: str) -> str:
    """`motion_encoder.layers.layers.0.norm1.weight` -> `motion_encoder.seqTransEncoder.layers.0.norm1.weight`."""
    module, first, *rest = name.split(".")
    layers = _THEIR_LAYERS.get(module, "seqTransEncoder")
    return ".".join([module, layers if first == "layers" else _THEIR_NAMES.get(first, first), *rest])


def read_config(state: Mapping[str, Tensor], num_heads: int = 4) -> tuple[TMRConfig, int]:
    """Return the sizes of a released TMR and the width of the token states that it reads.

    Args:
        state: under TMR's names.
        num_heads: leaves no trace in the weights; 4 in TMR.

    Raises:
        RemogptError: if it is not a TMR; the message names what is missing.
    """
    layer = "motion_encoder.seqTransEncoder.layers.0.linear1.weight"
    wanted = ("motion_encoder.tokens", "motion_encoder.projection.weight", "text_encoder.projection.weight", layer)
    missing = [name for name in wanted if name not in state]
    if missing:
        raise RemogptError(
            f"these weights are not TMR's: {', '.join(missing)} missing, found {', '.join(sorted(state)[:3])}, ...; "
            f"give the files {', '.join(f'{module}.pt' for module in MODULES)}, or one checkpoint that holds all three"
        )
    width, num_features = state[wanted[1]].shape
    numbers = [re.match(r"motion_encoder\.seqTransEncoder\.layers\.(\d+)\.", name) for name in state]
    config = TMRConfig(
        num_features=num_features,
        width=width,
        num_layers=1 + max(int(found[1]) for found in numbers if found),
        num_heads=num_heads,
        feedforward=len(state[layer]),
        is_variational=len(state[wanted[0]]) == 2,
    )
    return config, state[wanted[2]].shape[1]


def from_reference(state: Mapping[str, Tensor], num_heads: int = 4) -> tuple[TMR, TMRConfig]:
    """Build our TMR with a released TMR's weights, in eval mode.

    Raises:
        RemogptError: if names are missing or unknown, or a shape is another one; the first few are named.
    """
    config, text_dim = read_config(state, num_heads)
    network = TMR(config, text_dim)
    ours = {their_name(name): name for name in network.state_dict()}
    missing = [name for name in ours if name not in state]
    unknown = [name for name in state if name not in ours]
    if missing or unknown:
        raise RemogptError(
            f"these weights are not a TMR of {config.num_layers} layers: wanted {len(ours)} tensors, {len(missing)} "
            f"are missing (first: {missing[:3]}), {len(unknown)} are unknown (first: {unknown[:3]})"
        )
    for name, tensor in network.state_dict().items():
        came = state[their_name(name)].shape
        if came != tensor.shape:
            raise RemogptError(
                f"{their_name(name)} has shape {tuple(came)}, wanted {tuple(tensor.shape)} for width {config.width} "
                f"and feed-forward {config.feedforward}; the files are of different models"
            )
    network.load_state_dict({name: state[theirs].float() for theirs, name in ours.items()}, strict=True)
    return network.eval(), config

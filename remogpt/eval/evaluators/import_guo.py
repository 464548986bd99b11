"""Import the evaluator that Guo et al. released, without running any code from its files.

    finest.tar                  text_mot_match/model: movement_encoder, motion_encoder, text_encoder (and optimizers)
    mean.npy std.npy            (263,) the statistics that it was trained with, e.g. Comp_v6_KLD005/meta; KIT: (251,)
    our_vab_data.npy            glove: (words, 300) word vectors
    our_vab_words.pkl           list of words
    our_vab_idx.pkl             dictionary of word to row

The two `.pkl` files are pickles, which may run code when they are opened. A list of strings needs no code, so an
unpickler that refuses every name of a class or function reads them.

Source: EricGuo5513/text-to-motion, options and loaders of its final evaluation; MotionGPT ships the same files.
"""

import logging
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from torch import Tensor

from remogpt.eval.evaluators.guo import NUM_CONTACTS, GuoEvaluator, GuoWidths
from remogpt.eval.evaluators.guo_words import POS_CLASSES, WordVectors
from remogpt.motion.feature_body import HUMANML3D, KIT
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_npy
from remogpt.runtime.folders.safe_torch_load import PICKLES, read_released_networks

_log = logging.getLogger(__name__)

RELEASED = {
    "networks": "finest.tar",
    "mean": "mean.npy",
    "std": "std.npy",
    "vectors": "our_vab_data.npy",
    "words": "our_vab_words.pkl",
    "rows": "our_vab_idx.pkl",
}
"""Each file and the name under which it was released."""
NETWORKS = {"movement_encoder": "movement", "motion_encoder": "motion", "text_encoder": "text"}
"""Released name of each network, and its name here."""
MAX_CONTACT_STD = 0.2
"""Contacts are 0 or 1; a data set's own std of them is about 0.45, and the checkpoint's a 25th of that."""


def find_released(paths: Sequence[str | Path]) -> dict[str, Path]:
    """Return the released files by what they are.

    Args:
        paths: files, known by their names or endings, and folders, which are searched for the released names.

    Raises:
        MissingPathError: if a path is not there, or a file is missing; the message names all that are.
        RemogptError: if a file is none of them, or two are the same one.
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise MissingPathError(f"no file or folder {path}; give the evaluator's released files")
        inside = [path / name for name in RELEASED.values() if (path / name).is_file()] if path.is_dir() else [path]
        for file in inside:
            what = _what(file)
            if what in found:
                raise RemogptError(f"two of the files are the evaluator's {what}: {found[what]} and {file}; give one")
            found[what] = file
    missing = [name for what, name in RELEASED.items() if what not in found]
    if missing:
        given = ", ".join(str(path) for path in found.values()) or "none of its files"
        raise MissingPathError(
            f"the evaluator is incomplete: {', '.join(missing)} missing (found {given}); give these "
            "files too, or the folders that hold them"
        )
    return found


def _what(file: Path) -> str:
    name = file.name.lower()
    endings = {"mean.npy": "mean", "std.npy": "std", "_data.npy": "vectors", "_words.pkl": "words", "_idx.pkl": "rows"}
    for ending, what in endings.items():
        if name.endswith(ending):
            return what
    if file.suffix in PICKLES:
        return "networks"
    raise RemogptError(f"{file} is none of the evaluator's files ({', '.join(RELEASED.values())}); leave it out")


def load_released(paths: Sequence[str | Path], variant: str = "packed") -> GuoEvaluator:
    """Build the evaluator from its released files (see `find_released`).

    Raises:
        MissingPathError, RemogptError: if a file is missing, damaged, or does not belong to such an evaluator.
    """
    files = find_released(paths)
    state = read_released_networks(files["networks"], NETWORKS)
    wanted = num_features(state)
    mean, std = (_statistics(files[what], wanted) for what in ("mean", "std"))
    if not (std > 0).all():
        raise RemogptError(f"{files['std']} holds deviations down to {std.min():g}, wanted all above 0; is it a mean?")
    if (std[-NUM_CONTACTS:] > MAX_CONTACT_STD).all():
        _log.warning(
            "%s looks like a data set's own Std.npy: the deviations with which the released evaluator was trained are "
            "25 times smaller in the root's and the contacts' channels. With others its numbers compare with nobody's.",
            files["std"],
        )
    words = read_word_vectors(files["vectors"], files["words"], files["rows"])
    return evaluator_from_networks(state, mean, std, words, variant)


def evaluator_from_networks(
    state: Mapping[str, Mapping[str, Tensor]],
    mean: np.ndarray,
    std: np.ndarray,
    words: WordVectors,
    variant: str = "packed",
) -> GuoEvaluator:
    """Build the evaluator around named tensors.

    Args:
        state: of each network, under its released name.
        mean, std: (263,), of KIT-ML's evaluator (251,).
        words: vectors as wide as the text encoder reads.
        variant: packed or unpacked.

    Raises:
        RemogptError: if names are missing or unknown, or a shape is another one; the first few are named.
    """
    widths = read_widths(state)
    word_dim = words.vectors.shape[1]
    evaluator = GuoEvaluator(mean, std, words, variant, widths)
    theirs = {f"{NETWORKS[network]}.{name}": tensor for network in NETWORKS for name, tensor in state[network].items()}
    ours = {name: tensor for name, tensor in evaluator.state_dict().items() if name not in ("mean", "std")}
    missing, unknown = ([*(ours.keys() - theirs.keys())], [*(theirs.keys() - ours.keys())])
    if missing or unknown:
        raise RemogptError(
            f"these weights are not Guo's evaluator: wanted {len(ours)} tensors, {len(missing)} are missing (first: "
            f"{sorted(missing)[:3]}), {len(unknown)} are unknown (first: {sorted(unknown)[:3]})"
        )
    for name, tensor in ours.items():
        if theirs[name].shape != tensor.shape:
            raise RemogptError(
                f"{name} has shape {tuple(theirs[name].shape)}, wanted {tuple(tensor.shape)} for widths "
                f"{asdict(widths)} and word vectors of {word_dim}; the files are of different evaluators"
            )
    statistics = {"mean": evaluator.mean, "std": evaluator.std}
    evaluator.load_state_dict({name: theirs[name].float() for name in ours} | statistics, strict=True)
    return evaluator


def read_widths(state: Mapping[str, Mapping[str, Tensor]]) -> GuoWidths:
    """Read the networks' widths off the shapes of their tensors.

    Raises:
        RemogptError: if the tensors are not there, or the networks read other features or word classes.
    """
    num_features(state)
    convolution = _tensor(state, "movement_encoder", "main.0.weight", 3)
    classes = _tensor(state, "text_encoder", "pos_emb.weight", 2).shape[1]
    if classes != len(POS_CLASSES):
        raise RemogptError(f"the text encoder knows {classes} word classes, wanted {len(POS_CLASSES)}")
    return GuoWidths(
        convolution=len(convolution),
        movement=len(_tensor(state, "movement_encoder", "out_net.weight", 2)),
        motion=len(_tensor(state, "motion_encoder", "input_emb.weight", 2)),
        text=len(_tensor(state, "text_encoder", "input_emb.weight", 2)),
        output=len(_tensor(state, "motion_encoder", "output_net.3.weight", 2)),
    )


def num_features(state: Mapping[str, Mapping[str, Tensor]]) -> int:
    """Read off the movement encoder how many features a motion has for it: 263 of HumanML3D, or 251 of KIT-ML.

    Raises:
        RemogptError: if it reads nobody's features without their contacts.
    """
    channels = _tensor(state, "movement_encoder", "main.0.weight", 3).shape[1]
    known = {body.num_features - NUM_CONTACTS: body for body in (HUMANML3D, KIT)}
    if channels not in known:
        wanted = " or ".join(f"{count} ({body.name})" for count, body in known.items())
        raise RemogptError(f"the movement encoder reads {channels} channels, wanted {wanted}")
    return known[channels].num_features


def _tensor(state: Mapping[str, Mapping[str, Tensor]], network: str, name: str, ndim: int) -> Tensor:
    found = state[network].get(name)
    if found is None or found.ndim != ndim:
        came = "is missing" if found is None else f"has shape {tuple(found.shape)}"
        raise RemogptError(f"these weights are not Guo's evaluator: {name} of its {network} {came}; give finest.tar")
    return found


def _statistics(path: Path, wanted: int) -> np.ndarray:
    values = read_npy(path)
    if values.shape != (wanted,) or not np.isfinite(values).all():
        other = next((body for body in (HUMANML3D, KIT) if values.shape == (body.num_features,) != (wanted,)), None)
        hint = f", which {other.name} has" if other else ""
        raise RemogptError(
            f"{path} should hold {wanted} finite numbers and holds shape {values.shape}{hint}; give the "
            "statistics that the evaluator was trained with"
        )
    return values.astype(np.float32)


def read_word_vectors(vectors: Path, words: Path, rows: Path) -> WordVectors:
    """Read the evaluator's GloVe files: (words, width) array, list of words, dictionary of word to row.

    Raises:
        MissingPathError, RemogptError: if a file is missing, is something else, or they do not belong together.
    """
    table = read_npy(vectors)
    if table.ndim != 2 or not np.issubdtype(table.dtype, np.floating) or not np.isfinite(table).all():
        raise RemogptError(
            f"{vectors} should hold finite word vectors (words, width), holds {table.dtype} {table.shape}; is it "
            f"{RELEASED['vectors']}?"
        )
    names, row_of = read_plain_pickle(words), read_plain_pickle(rows)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RemogptError(f"{words} should hold a list of words, holds a {type(names).__name__}; restore the file")
    if not isinstance(row_of, dict):
        raise RemogptError(f"{rows} should hold a dictionary of word to row, holds a {type(row_of).__name__}")
    wrong = [name for name in names if type(row_of.get(name)) is not int or not 0 <= row_of[name] < len(table)]
    if wrong:
        raise RemogptError(
            f"{rows} gives {wrong[0]!r} the row {row_of.get(wrong[0])!r}, wanted 0 to {len(table) - 1} of {vectors}; "
            "the three files do not belong together"
        )
    return WordVectors({name: row_of[name] for name in names}, table.astype(np.float32))


class _PlainUnpickler(pickle.Unpickler):
    """Knows lists, dictionaries, strings and numbers; every name of a class or function is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise RemogptError(f"{module}.{name}")


def read_plain_pickle(path: str | Path) -> Any:
    """Read a pickle of plain containers, strings and numbers.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it names any class or function, which is not looked up, let alone called; or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; give the evaluator's released files")
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except RemogptError as refused:
        raise RemogptError(
            f"{path} asks for {refused}, but a list of words needs no code; it is not opened further: restore the "
            "released file"
        ) from None
    except (pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, OverflowError) as why:
        raise RemogptError(f"{path} is damaged or no pickle ({why}); restore the released file") from why

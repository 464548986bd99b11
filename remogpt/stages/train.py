"""Train one component from a set and from earlier components.

Each function writes the finished component to `out`, its log and checkpoints to `out/run`, and returns the component as
loaded from `out`. The same call resumes an interrupted run.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.make import is_unseen
from remogpt.data.procedural.rewordings import claimed_captions, people_captions
from remogpt.finder import FactFinder
from remogpt.finder import train as finder_training
from remogpt.finder.train import FinderConfig
from remogpt.lm import MotionLanguageModel
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.train import CopyConfig, train_copy_head
from remogpt.lm.training.samples import ExampleBank
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.motion.skeleton import KIT_NUM_FEATURES, NUM_FEATURES
from remogpt.notices import KnownWords
from remogpt.reader import CaptionReader
from remogpt.reader import train as reader_training
from remogpt.reader.train import ReaderConfig
from remogpt.retriever import MotionDatabase, Neighbours, TextMotionRetriever
from remogpt.retriever.training import pl_tmr, tmr
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder, read_json, write_json
from remogpt.runtime.folders.component import load_component
from remogpt.runtime.folders.model_folder import check_belongs
from remogpt.runtime.leftovers import remove_leftovers
from remogpt.runtime.progress import progress
from remogpt.runtime.vector_cache import VectorCache
from remogpt.stages.inputs import open_database, open_neighbours, open_set, open_tokenizer
from remogpt.stages.training_data import SetFeatures, coded_clips, copy_pairs, example_bank, labelled_motions
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae import train as tokenizer_training

SPLITS = ("train", "val")
LEFT_OUT = "left_out.json"
"""Beside a run's log: what of the set could not be used, and why."""


def train_tokenizer(
    data: str | Path | MotionTextSet,
    *,
    out: str | Path,
    config: tokenizer_training.TokenizerConfig | None = None,
) -> MotionTokenizer:
    """Train a VQ-VAE that turns motions into codes.

    Args:
        data: set in HumanML3D's layout, with splits train and val.
        out: folder of the finished tokenizer.
        config: settings; default: `TokenizerConfig()`.
    """
    motions, folder = open_set(data), _cleared(out)
    _check_values(motions, folder)
    train, val = (SetFeatures(motions, split) for split in SPLITS)
    config = config or tokenizer_training.TokenizerConfig()
    return tokenizer_training.train_tokenizer(config, train, val, folder / "run", folder)


def train_retriever(
    data: str | Path | MotionTextSet, *, out: str | Path, config: pl_tmr.RetrieverConfig | None = None
) -> TextMotionRetriever:
    """Train a PL-TMR or, with `config.vision_model`, a MotionPatches retriever.

    Args:
        data: set in HumanML3D's layout, with splits train and val; of KIT's features if `config` says so.
        out: folder of the finished retriever.
        config: settings; default: `RetrieverConfig()`.
    """
    config = config or pl_tmr.RetrieverConfig()
    num_features = KIT_NUM_FEATURES if config.model.skeleton == "kit" else NUM_FEATURES
    motions, folder = _of_width(open_set(data), num_features, "model.skeleton"), _cleared(out)
    _check_values(motions, folder, *([config.family_split] if config.family_split else []))
    train = TrainingPairs.from_set(
        motions, "train", config.same_tag, family_split=config.family_split, reads_claims=config.reads_claims
    )
    val = TrainingPairs.from_set(motions, "val", config.same_tag)
    return pl_tmr.train_retriever(config, train, val, folder / "run", folder)


def train_tmr(
    data: str | Path | MotionTextSet, *, out: str | Path, config: tmr.TMRTrainingConfig | None = None
) -> TextMotionRetriever:
    """Train a TMR retriever; arguments as in `train_retriever`, with `TMRTrainingConfig`."""
    config = config or tmr.TMRTrainingConfig()
    motions, folder = _of_width(open_set(data), config.model.num_features, "model.num_features"), _cleared(out)
    _check_values(motions, folder)
    train, val = (TrainingPairs.from_set(motions, split, config.same_tag) for split in SPLITS)
    return tmr.train_tmr(config, train, val, folder / "run", folder)


def train_lm(
    data: str | Path | MotionTextSet,
    *,
    out: str | Path,
    tokenizer: str | Path | MotionTokenizer,
    config: LanguageModelConfig | None = None,
    start_from: str | Path | None = None,
    database: str | Path | MotionDatabase | None = None,
    neighbours: str | Path | Neighbours | None = None,
    val_neighbours: str | Path | Neighbours | None = None,
) -> MotionLanguageModel:
    """Train a language model to write codes for captions and captions for codes.

    Args:
        data: set in HumanML3D's layout, with splits train and val.
        out: folder of the finished language model.
        tokenizer: of the codes.
        config: settings; default: `LanguageModelConfig()`.
        start_from: folder of a language model to start from.
        database: database of the examples in the prompts.
        neighbours, val_neighbours: the examples of the training and of the validation clips (`find_neighbours`).

    Raises:
        RemogptError: for neighbours without a database, or neighbours of other clips or of another database.
    """
    motions, folder = open_set(data), _cleared(out)
    if (neighbours or val_neighbours) and database is None:
        raise RemogptError("neighbours are rows of a database: give it with --database")
    config = config or LanguageModelConfig()
    config = config if start_from is None else replace(config, start_from=str(start_from))
    _check_values(motions, folder)
    coder = open_tokenizer(tokenizer, "the language model")
    examples = None if database is None else open_database(database)
    clips = {split: motions.clips(split) for split in SPLITS}
    coded = {split: coded_clips(motions, chosen, coder) for split, chosen in clips.items()}
    banks: dict[str, ExampleBank | None] = dict.fromkeys(SPLITS)
    for split, found in zip(SPLITS, (neighbours, val_neighbours), strict=True):
        if found is not None and examples is not None:
            banks[split] = example_bank(open_neighbours(found), examples, clips[split])
    train_language_model(
        config, coded["train"], folder, folder / "run", banks["train"], coded["val"], banks["val"], fps=motions.fps
    )
    KnownWords.from_captions(caption for clip in clips["train"] for caption in clip.captions).save(folder)
    return MotionLanguageModel.from_pretrained(folder)


def train_reader(*, out: str | Path, config: ReaderConfig | None = None) -> CaptionReader:
    """Train a reader, which turns captions into claims, on captions that the procedural grammar writes.

    Combinations of actions that procedural sets keep for their split `test_unseen` are left out.

    Args:
        out: folder of the finished reader.
        config: settings; default: `ReaderConfig()`.
    """
    folder, config = _cleared(out), config or ReaderConfig()
    train = _claimed(config, 0, config.scripts)
    train += [
        (one.text, one.steps, one.num_unknown)
        for one in people_captions(config.loop.seed, config.people, config.vocabulary)
    ]
    val = _claimed(config, config.scripts, config.val_scripts)
    return reader_training.train_reader(
        config, train, val, VectorCache(folder / "run" / "token_states"), folder / "run", folder
    )


def join_readers(readers: Sequence[str | Path], *, out: str | Path) -> CaptionReader:
    """Put several trained readers together into one, which believes what most of them read.

    Args:
        readers: folders of at least one, with one text model and vocabulary.
        out: folder of the one reader; weights are stored in the type of the first.

    Raises:
        MissingPathError: if a folder is not there.
        RemogptError: if they do not belong together.
    """
    opened = list[CaptionReader]()
    for folder in readers:  # the text model is opened once for all
        opened.append(CaptionReader.from_pretrained(folder, text=opened[0].text if opened else None))
    joined = CaptionReader.together(opened)
    joined.save_pretrained(out, load_component(readers[0], "reader").dtype)
    return joined


def _claimed(config: ReaderConfig, start: int, num_scripts: int) -> list[reader_training.Example]:
    """Return captions of scripts as a reader learns from them; the loop's seed chooses them."""
    rows = claimed_captions(config.loop.seed, start, num_scripts, config.reworded, vocabulary=config.vocabulary)
    return [
        (caption.text, caption.steps, caption.num_unknown)
        for script, caption in progress(rows, total=3 * num_scripts, desc="captions", unit="caption")
        if not is_unseen(script)
    ]


def train_finder(
    data: str | Path | MotionTextSet, *, out: str | Path, config: FinderConfig | None = None
) -> FactFinder:
    """Train a finder, which tells what facts a motion shows, on a set that knows what its captions claim.

    Args:
        data: set in HumanML3D's layout, with splits train and val and with claims.
        out: folder of the finished finder.
        config: settings; default: `FinderConfig()`.
    """
    motions, folder = open_set(data), _cleared(out)
    config = config or FinderConfig()
    _check_values(motions, folder, *([config.families] if config.families else []))
    train = labelled_motions(motions, ["train", *([config.families] if config.families else [])])
    return finder_training.train_finder(config, train, labelled_motions(motions, ["val"]), folder / "run", folder)


def train_copy(
    *,
    out: str | Path,
    tokenizer: str | Path | MotionTokenizer,
    database: str | Path | MotionDatabase,
    queries: str | Path | MotionDatabase,
    neighbours: str | Path | Neighbours,
    config: CopyConfig | None = None,
) -> CopyHead:
    """Train the copy head, with which a model follows its retrieved examples.

    Args:
        out: folder of the finished copy head.
        tokenizer: of the model and of both databases.
        database: database of the examples.
        queries: database of query clips that the language model has not seen.
        neighbours: the examples of `queries` in `database` (`find_neighbours`).
        config: settings; default: `CopyConfig()`.

    Raises:
        RemogptError: if the inputs do not belong together.
    """
    folder, config = _cleared(out), config or CopyConfig()
    coder = open_tokenizer(tokenizer, "the copy head")
    examples, asking = open_database(database), open_database(queries)
    for opened in (examples, asking):
        check_belongs(opened.path, opened.manifest, {"tokenizer": coder.hash})
    train, val = copy_pairs(open_neighbours(neighbours), examples, asking, config)
    belongs_to = {kind: examples.manifest[f"{kind}_hash"] for kind in ("tokenizer", "retriever")}
    train_copy_head(config, train, val, coder.code_vectors, belongs_to, folder, folder / "run")
    return CopyHead.from_pretrained(folder)


def _check_values(motions: MotionTextSet, folder: Path, *more: str) -> None:
    """Leave out motions that cannot be used, before the first step, and write what they were beside the log.

    A run that began without some of them goes on without them, whether or not they have been repaired.
    """
    record = folder / "run" / LEFT_OUT
    if record.is_file() and (folder / "run" / "training.pt").is_file():
        motions.leave_out(read_json(record, dict[str, str]))
    motions.check_values(*SPLITS, *more)
    if motions.left_out:
        write_json(record, motions.left_out)
    else:
        record.unlink(missing_ok=True)


def _of_width(motions: MotionTextSet, num_features: int, setting: str) -> MotionTextSet:
    """Return the set; refuse one whose motions have other channels than a network's settings say."""
    if motions.num_features != num_features:
        raise RemogptError(
            f"{motions.folder} holds {motions.body.name}'s features of {motions.num_features} channels, but {setting} "
            f"is for {num_features}; take the set's own, as kit/retriever and kit/motion_patches have it"
        )
    return motions


def _cleared(out: str | Path) -> Path:
    """Return a component's folder, after deleting temporary files of a killed run."""
    folder = check_output_folder(out)
    for name in ("model.safetensors", "normalizer.safetensors", "config.json"):
        remove_leftovers(folder / name)
    return folder

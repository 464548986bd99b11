"""Reference numbers, data beside the checkout (skipped with a reason where absent), and a whole model made here.

The tiny model is untrained: every part is real and goes through the real files, and what it answers means nothing.
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from remogpt.runtime.vector_cache import VARIABLE

GOLDEN = Path(__file__).parent / "golden"
SHARED = Path(__file__).resolve().parents[1].parent / "shared"
NUM_CODES = 32
NUM_CLIPS = 15
"""Of the procedural set, clip 2 is test, 4 and 14 are val: an id's split does not depend on the seed."""


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported, which it would look through again and again."""
    gc.collect()
    gc.freeze()


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}: this test compares with reference data that is kept beside the checkout")
    return folder


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Inputs and outputs of the field's reference code, which every checkout has."""
    return GOLDEN


@pytest.fixture(scope="session")
def full_golden_dir() -> Path:
    """More of them, on real motion that may not be passed on."""
    return _shared_folder("golden")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real motion capture and real captions."""
    return _shared_folder("data")


@pytest.fixture(scope="session")
def cases_dir() -> Path:
    """Small inputs that once went wrong, with what is right."""
    return _shared_folder("cases")


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Path]]:
    """Keep embeddings out of the home of whoever runs the tests; return folders that are not there yet."""
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder / "shared"))
        yield (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, caches: Iterator[Path]) -> Path:
    """Folder of a test's own embeddings: no test finds what another has computed."""
    folder = next(caches)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the plots out of reports, which take half of a small evaluation: tests/eval/report looks at them."""
    monkeypatch.setattr("remogpt.eval.report.page._figures", lambda section: [])


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A procedural set of fifteen clips with splits train, val and test. Read it only."""
    from remogpt.data.procedural.make import make_procedural_set

    folder = tmp_path_factory.mktemp("tiny") / "set"
    make_procedural_set(folder, NUM_CLIPS, seed=0, workers=1, unseen_share=0.0)
    return folder


@pytest.fixture(scope="session")
def tiny_text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text model's folder in transformers' layout: one random layer over whole words."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("text_model")
    words = ["[PAD]", "[UNK]", "a", "person", "man", "woman", "walks", "runs", "waves", "the", "left", "right"]
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=128)  # fmt: skip
    BertModel(config).save_pretrained(folder)
    splitter = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    splitter.normalizer, splitter.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=splitter, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.fixture
def guo_release(tmp_path: Path) -> Path:
    """The files of Guo et al.'s evaluator as they were released, of a small random one: a folder with all six."""
    import pickle

    import torch

    from remogpt.eval.evaluators.guo import MotionEncoder, MovementEncoder, TextEncoder

    folder = tmp_path / "guo_release"
    folder.mkdir()
    torch.manual_seed(0)
    text = TextEncoder(6, 8, 4)
    optimizer = torch.optim.Adam(text.parameters())
    checkpoint = {
        "movement_encoder": MovementEncoder(259, 12, 8).state_dict(),
        "motion_encoder": MotionEncoder(8, 10, 4).state_dict(),
        "text_encoder": text.state_dict(),
        "opt_text_encoder": optimizer.state_dict(),
        "epoch": 3,
        "iter": 100,
    }
    # As PyTorch wrote files when it was released, and in the pickle protocols of that time.
    torch.save(checkpoint, folder / "finest.tar", _use_new_zipfile_serialization=False)
    rng = np.random.default_rng(0)
    np.save(folder / "mean.npy", rng.normal(size=263))
    np.save(folder / "std.npy", np.concatenate([rng.uniform(0.5, 1.5, 259), np.full(4, 0.02)]))
    np.save(folder / "our_vab_data.npy", rng.normal(size=(7, 6)))
    words = ["walk", "unk", "sos", "eos", "person", "ol\u00e9"]
    rows = {word: 6 - place for place, word in enumerate(words)}
    (folder / "our_vab_words.pkl").write_bytes(pickle.dumps(words, protocol=2))
    (folder / "our_vab_idx.pkl").write_bytes(pickle.dumps(rows, protocol=4))
    return folder


@dataclass(frozen=True)
class TinyComponents:
    """Folders of the components of a tiny model."""

    tokenizer: Path
    retriever: Path
    lm: Path
    database: Path


MakeComponents = Callable[[Path, int], TinyComponents]


@pytest.fixture(scope="session")
def make_tiny_components(tiny_set: Path, tiny_text_model: Path) -> MakeComponents:
    """Make the components in a folder, with random weights of a seed."""

    def make(folder: Path, seed: int) -> TinyComponents:
        import torch

        from remogpt.data.humanml3d import MotionTextSet
        from remogpt.lm import MotionLanguageModel, T5Size, Vocabulary
        from remogpt.retriever.networks.pl_tmr import PLTMRConfig
        from remogpt.retriever.training.new_retriever import new_retriever
        from remogpt.tokenizer_vqvae.normalizer import Normalizer
        from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer
        from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

        torch.manual_seed(seed)
        motions = MotionTextSet.open(tiny_set)
        clips = motions.clips("train")
        captions = [caption for clip in clips for caption in clip.captions]
        parts = TinyComponents(*(folder / kind for kind in ("tokenizer", "retriever", "lm", "database")))
        sizes = {"width": 16, "num_codes": NUM_CODES, "code_dim": 16, "depth": 1}
        vqvae, normalizer = MotionVQVAE(**sizes), Normalizer.fit([motions.features(clip) for clip in clips])
        vectors = vqvae.encode_vectors(normalizer.normalize(torch.from_numpy(motions.features(clips[0])[None])))
        vqvae.quantizer.initialize_(vectors.flatten(0, 1))
        MotionTokenizer(vqvae, normalizer, sizes).save_pretrained(parts.tokenizer)
        small = PLTMRConfig(part_width=16, num_layers=1, num_heads=2, feedforward=32, patch=8, projection_dim=16,
                            text_width=16, text_layers=1, text_heads=2, text_feedforward=32)  # fmt: skip
        retriever = new_retriever(small, str(tiny_text_model), False, motions.mean, motions.std)
        retriever.save_pretrained(parts.retriever)
        vocabulary = Vocabulary.train(captions, NUM_CODES, 320)
        MotionLanguageModel.build(vocabulary, T5Size(16, 32, 1, 1, 2, 8)).save_pretrained(parts.lm)
        build_database(tiny_set, parts, parts.database)
        return parts

    return make


def build_database(motion_set: Path, parts: TinyComponents, out: Path) -> None:
    """Embed and tokenize the training split."""
    from remogpt.data.humanml3d import MotionTextSet
    from remogpt.retriever import DatabaseEntry, MotionDatabase, TextMotionRetriever
    from remogpt.tokenizer_vqvae import MotionTokenizer

    motions = MotionTextSet.open(motion_set)
    entries = [
        DatabaseEntry(clip.id, clip.source_id, clip.mirror_of, clip.captions, motions.features(clip))
        for clip in motions.clips("train")
    ]
    retriever, tokenizer = (part.from_pretrained for part in (TextMotionRetriever, MotionTokenizer))
    MotionDatabase.build(entries, retriever(parts.retriever), tokenizer(parts.tokenizer), out)


@pytest.fixture(scope="session")
def tiny_components(make_tiny_components: MakeComponents, tmp_path_factory: pytest.TempPathFactory) -> TinyComponents:
    """Tokenizer, retriever, language model and a database of the training clips. Read them only."""
    return make_tiny_components(tmp_path_factory.mktemp("parts"), 0)


@pytest.fixture(scope="session")
def tiny_model(tiny_components: TinyComponents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model folder. Read it only."""
    from remogpt.runtime.folders.model_folder import assemble

    folder = tmp_path_factory.mktemp("model") / "tiny"
    parts = {"tokenizer": tiny_components.tokenizer, "retriever": tiny_components.retriever, "lm": tiny_components.lm}
    assemble(folder, parts, tiny_components.database, "tiny", "MIT")
    return folder


@pytest.fixture
def wave(tiny_set: Path, tmp_path: Path) -> Path:
    """A motion file: joints (T, 22, 3) of a clip."""
    path = tmp_path / "wave.npy"
    np.save(path, np.load(tiny_set / "new_joints" / "000004.npy"))
    return path


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of an error; fails unless there is one line, exit code 2, and no traceback."""
        lines = self.err.strip().splitlines()
        assert self.code == 2 and not self.out, (self.code, self.out, self.err)
        assert len(lines) == 1 and lines[0].startswith("remogpt") and "error: " in lines[0], self.err
        print(lines[0])  # pytest -s reads them aloud
        return lines[0]


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: `run("generate", "a person walks", "--out", path)`."""
    from remogpt.cli import main

    def command(*words: object) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Ran(code, *capsys.readouterr())

    return command

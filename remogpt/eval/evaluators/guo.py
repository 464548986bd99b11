"""The evaluator networks of Guo et al., which embed motions and captions in one Euclidean space, in two variants.

Most published text-to-motion numbers are distances in this space. Numbers of the two variants do not compare:

* `packed` (original): the recurrent network sees each motion's own length.
* `unpacked` (MotionGPT): packing is commented out there, so the padding of a batch enters the network too, and an
  embedding depends on the longest motion beside it. Kept for comparison with numbers from that code.

State-dict names are those of the released checkpoint (`finest.tar`), so its weights load as they are
(`remogpt import guo`, `import_guo`).

Source: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022; MotionGPT (NeurIPS 2023).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from remogpt.eval.evaluators.guo_words import KIND, POS_CLASSES, WordVectors, read_words, write_words
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.folders.component import load_component, save_component

VARIANTS = ("packed", "unpacked")
NUM_CHANNELS = 259
"""HumanML3D's features without the four foot contacts; KIT-ML's: 247."""
NUM_CONTACTS = 4
FRAMES_PER_MOVEMENT = 4
REFERENCE_FRAMES = 196
"""Length to which the original's loader pads every motion; the convolution at a motion's end sees the padding."""
SLOPE, DROPOUT = 0.2, 0.2


class MovementEncoder(nn.Module):
    """Encodes features as a sequence of movements, four times shorter."""

    def __init__(self, input_dim: int = NUM_CHANNELS, hidden_dim: int = 512, output_dim: int = 512):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(input_dim, hidden_dim, 4, 2, 1),
            nn.Dropout(DROPOUT),
            nn.LeakyReLU(SLOPE),
            nn.Conv1d(hidden_dim, output_dim, 4, 2, 1),
            nn.Dropout(DROPOUT),
            nn.LeakyReLU(SLOPE),
        )
        self.out_net = nn.Linear(output_dim, output_dim)

    def forward(self, motion: Tensor) -> Tensor:
        """Map (B, T, 259) normalised features to (B, T / 4, output_dim)."""
        return self.out_net(self.main(motion.transpose(1, 2)).transpose(1, 2))


class _RecurrentHead(nn.Module):
    """Bidirectional GRU with a learned initial state, and the projection of its two last states."""

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int):
        super().__init__()
        self.input_emb = nn.Linear(input_dim, hidden_dim)
        self.gru = nn.GRU(hidden_dim, hidden_dim, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden_dim, output_dim),
        )
        self.hidden = nn.Parameter(torch.randn(2, 1, hidden_dim))

    def encode(self, sequence: Tensor, lengths: Tensor | None) -> Tensor:
        """Encode (B, T, input_dim) to (B, output_dim); without lengths the whole padded sequence is read."""
        embedded = self.input_emb(sequence)
        state = self.hidden.expand(-1, len(sequence), -1).contiguous()
        if lengths is None:
            _, last = self.gru(embedded, state)
        else:
            packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
            _, last = self.gru(packed, state)
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class MotionEncoder(_RecurrentHead):
    """Encodes movements as one embedding."""

    def __init__(self, input_dim: int = 512, hidden_dim: int = 1024, output_dim: int = 512, variant: str = "packed"):
        super().__init__(input_dim, hidden_dim, output_dim)
        if variant not in VARIANTS:
            raise RemogptError(f"unknown evaluator variant {variant!r}; choose one of {', '.join(VARIANTS)}.")
        self.variant = variant

    def forward(self, movements: Tensor, lengths: Tensor) -> Tensor:
        """Map (B, N, input_dim) movements and (B,) their numbers to (B, output_dim)."""
        return self.encode(movements, lengths if self.variant == "packed" else None)


class TextEncoder(_RecurrentHead):
    """Encodes word vectors and word classes as one embedding."""

    def __init__(self, word_dim: int = 300, hidden_dim: int = 512, output_dim: int = 512):
        super().__init__(word_dim, hidden_dim, output_dim)
        self.pos_emb = nn.Linear(len(POS_CLASSES), word_dim)

    def forward(self, words: Tensor, classes: Tensor, lengths: Tensor) -> Tensor:
        """Map (B, L, word_dim), (B, L, 15) one-hot and (B,) real tokens to (B, output_dim)."""
        return self.encode(words + self.pos_emb(classes), lengths)


@dataclass(frozen=True)
class GuoWidths:
    """Widths of the networks; the defaults are the released evaluator's."""

    convolution: int = 512
    """Width between the two convolutions of the movement encoder."""
    movement: int = 512
    """Width of a movement."""
    motion: int = 1024
    """Width of the recurrent network over movements."""
    text: int = 512
    """Width of the recurrent network over words."""
    output: int = 512
    """Width of an embedding."""


class GuoEvaluator(nn.Module):
    """Embeds raw features and tokenised captions, with the evaluator's own statistics.

    Args:
        mean, std: (263,) statistics that belong to the checkpoint, (251,) of KIT-ML's. The released std is divided by
            25 in the root and contact channels already; HumanML3D's own Std.npy is not.
        words: word vectors of the checkpoint.
        variant: packed or unpacked.
        widths: of the networks.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: np.ndarray,
        std: np.ndarray,
        words: WordVectors,
        variant: str = "packed",
        widths: GuoWidths = GuoWidths(),
    ):
        super().__init__()
        self.movement = MovementEncoder(len(mean) - NUM_CONTACTS, widths.convolution, widths.movement)
        self.motion = MotionEncoder(widths.movement, widths.motion, widths.output, variant)
        self.text = TextEncoder(words.vectors.shape[1], widths.text, widths.output)
        self.words, self.widths, self.dim = words, widths, widths.output
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32))
        self.eval()

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, variant: str | None = None, device: str | torch.device = "cpu"
    ) -> "GuoEvaluator":
        """Load an evaluator from its folder alone.

        Args:
            folder: written by `save_pretrained` (`remogpt import guo`).
            variant: packed or unpacked; None takes the one that it was saved with.
            device: where the networks run.

        Raises:
            MissingPathError: if a file is missing.
            RemogptError: if the folder holds something else than was saved there, or there is no such variant.
        """
        component = load_component(folder, KIND)
        words = read_words(folder, component.config["words_sha256"])
        vectors = component.tensors.pop("word_vectors").numpy()
        evaluator = cls(
            component.normalizer["mean"].numpy(),
            component.normalizer["std"].numpy(),
            WordVectors({word: row for row, word in enumerate(words)}, vectors),
            variant or component.config["variant"],
            GuoWidths(**component.config["widths"]),
        )
        evaluator.load_state_dict(component.tensors | component.normalizer, strict=True)
        return evaluator.to(device)

    def save_pretrained(self, folder: str | Path) -> str:
        """Write networks, statistics and words as a component and return its hash."""
        names, vectors = self.words.table
        tensors = {name: t for name, t in self.state_dict().items() if name not in ("mean", "std")}
        tensors["word_vectors"] = torch.from_numpy(vectors)
        config = {"variant": self.motion.variant, "widths": asdict(self.widths)}
        config["words_sha256"] = write_words(folder, names)
        save_component(folder, KIND, config, tensors, {"mean": self.mean, "std": self.std})
        return self.hash

    @property
    def name(self) -> str:
        """Name to write beside numbers."""
        return f"guo-{self.motion.variant}"

    @property
    def hash(self) -> str:
        """64 hexadecimal digits over variant, weights, statistics and words; equal hashes mean equal embeddings.

        The two variants of one checkpoint have two hashes, whichever of them its folder was saved as.
        """
        names, vectors = self.words.table
        arrays = [value for name, t in sorted(self.state_dict().items()) for value in (name, t.cpu().numpy())]
        return fingerprint([self.name, *names, vectors, *arrays])

    @torch.inference_mode()
    def encode_motion(self, motions: Sequence[np.ndarray], batch_size: int = 32) -> np.ndarray:
        """Embed raw features (T, F) each, T >= 4; (N, D) float32 in the order given.

        Raises:
            RemogptError: if a motion is shorter, or has other channels.
        """
        for index, motion in enumerate(motions):
            if motion.ndim != 2 or motion.shape[1] != len(self.mean):
                raise RemogptError(
                    f"motion {index} has shape {motion.shape}, wanted are (frames, {len(self.mean)}) features; "
                    "make them with remogpt.motion.joints_to_features"
                )
        rows = [self._motion_batch(motions[at : at + batch_size]) for at in range(0, len(motions), batch_size)]
        return torch.cat(rows).numpy() if rows else np.zeros((0, self.dim), np.float32)

    def _motion_batch(self, motions: Sequence[np.ndarray]) -> Tensor:
        lengths = [len(motion) // FRAMES_PER_MOVEMENT for motion in motions]
        if min(lengths) < 1:
            raise RemogptError(
                f"the evaluator needs at least {FRAMES_PER_MOVEMENT} frames; item {lengths.index(0)} has less."
            )
        # Cut to whole movements; padding is zero after normalising, to 196 frames in the original and to the longest of
        # the batch in MotionGPT.
        num_frames = max(lengths) * FRAMES_PER_MOVEMENT
        if self.motion.variant == "packed":
            num_frames = max(num_frames, REFERENCE_FRAMES)
        padded = torch.zeros(len(motions), num_frames, len(self.mean) - NUM_CONTACTS, device=self.mean.device)
        for row, (motion, length) in enumerate(zip(motions, lengths, strict=True)):
            frames = length * FRAMES_PER_MOVEMENT
            features = torch.tensor(np.asarray(motion[:frames], dtype=np.float32), device=self.mean.device)
            padded[row, :frames] = ((features - self.mean) / self.std)[:, :-NUM_CONTACTS]
        return self.motion(self.movement(padded), torch.tensor(lengths)).cpu()

    @torch.inference_mode()
    def encode_text(self, captions: Sequence[Sequence[str]], batch_size: int = 32) -> np.ndarray:
        """Embed captions given as `word/POS` tokens; (N, D) float32 in the order given."""
        rows = []
        for at in range(0, len(captions), batch_size):
            encoded = [self.words.encode(tokens) for tokens in captions[at : at + batch_size]]
            vectors, classes = (
                torch.tensor(np.stack([one[index] for one in encoded]), dtype=torch.float32, device=self.mean.device)
                for index in (0, 1)
            )
            rows.append(self.text(vectors, classes, torch.tensor([one[2] for one in encoded])).cpu())
        return torch.cat(rows).numpy() if rows else np.zeros((0, self.dim), np.float32)

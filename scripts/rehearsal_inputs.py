"""Make what a rehearsal of the papers' recipes needs, in a minute and without a network: sets, models, settings.

    python scripts/rehearsal_inputs.py FOLDER [--clips 60]

FOLDER/sets/rehearsal-humanml3d   HumanML3D's own layout: mirrored ids, a caption of a part of its clip, an id without a
                                  file, a clip of NaN
FOLDER/sets/rehearsal-kitml       the same clips as TMR's annotations over whole sequences
FOLDER/sets/rehearsal-KIT-ML-own  the same clips with KIT-ML's own features: 251 channels of 21 joints
FOLDER/sets/rehearsal-motionx     half of these and others as Motion-X has them: 52 joints, 30 frames a second, texts
FOLDER/models                     a T5 (untied, sentencepiece), DistilBERT, MPNet, BERT and ViT of random weights
FOLDER/guo, FOLDER/guo_kit        Guo et al.'s evaluators in their released files, random weights
FOLDER/site                       a stand-in for spaCy: it tags words as the procedural captions have them
FOLDER/settings                   settings to lay over those of the papers: sizes, and where the models are

Nothing made of these says anything but that the commands run.
"""

import argparse
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy.interpolate import interp1d

from remogpt.data.analysis.statistics import mean_and_std
from remogpt.data.procedural.make import make_clip
from remogpt.eval.evaluators.guo import MotionEncoder, MovementEncoder, TextEncoder
from remogpt.motion import joints_to_features, mirror_caption, mirror_joints
from remogpt.motion.feature_body import KIT
from remogpt.motion.resample import resample

SHARES = {"test": 0.6, "val": 0.7}
"""Upper ends of a clip's place for the small splits. Test is the largest: pools of 32 rank it."""
LOOP = {"steps": 4, "batch_size": 4, "log_every": 1, "save_every": 2, "evaluate_every": 2, "cpu": True}
SWAPPED = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}
SPACY = '''"""A stand-in for spaCy in rehearsals: words have the tags that the procedural captions give them."""
import json
from pathlib import Path

_TAGS = json.loads(Path(__file__).with_name("tags.json").read_text())


class _Token:
    def __init__(self, text):
        self.text = text
        self.lemma_, self.pos_ = _TAGS.get(text.lower(), (text, "NOUN"))
        self.is_alpha = text.isalpha()


def load(name):
    return lambda text: [_Token(word) for word in text.replace(",", " ").replace(".", " ").split()]
'''


def main() -> None:
    """Make everything that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=lambda given: Path(given).resolve())
    parser.add_argument("--clips", type=int, default=60)
    args = parser.parse_args()
    if (args.folder / "done").is_file():
        return
    torch.manual_seed(0)
    words, tags = make_humanml3d(args.folder / "sets" / "rehearsal-humanml3d", args.clips)
    make_kitml(args.folder / "sets" / "rehearsal-humanml3d", args.folder / "sets" / "rehearsal-kitml")
    make_kit_own(args.folder / "sets" / "rehearsal-humanml3d", args.folder / "sets" / "rehearsal-KIT-ML-own")
    make_motionx(args.folder / "sets" / "rehearsal-motionx", args.clips)
    make_models(args.folder / "models", words)
    make_guo(args.folder / "guo", words, 263)
    make_guo(args.folder / "guo_kit", words, 251)
    make_spacy(args.folder / "site", tags)
    make_settings(args.folder / "settings", args.folder / "models")
    (args.folder / "done").write_text("")


# ---- sets ------------------------------------------------------------------------------------------------------------


def make_humanml3d(folder: Path, num_clips: int) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Write a set as HumanML3D's authors' scripts do; return the captions' words, and each word's lemma and tag."""
    for name in ("new_joint_vecs", "new_joints", "texts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    features, tags = [], dict[str, tuple[str, str]]()
    for index in range(num_clips):
        clip = make_clip(0, index)
        place = index / num_clips
        split = next((name for name, end in SHARES.items() if place < end), "train")
        for prefix, joints in (("", clip.take.joints), ("M", mirror_joints(clip.take.joints))):
            name = f"{prefix}{index:06d}"
            made = joints_to_features(joints)
            features.append(made)
            np.save(folder / "new_joint_vecs" / f"{name}.npy", made)
            np.save(folder / "new_joints" / f"{name}.npy", joints[:-1])
            lines = list(_lines(clip.captions, bool(prefix), tags))
            if index % 10 == 1 and len(made) > 120:  # a part of the clip, in seconds
                lines.append(lines[0].removesuffix("0.0#0.0") + "1.0#4.5")
            (folder / "texts" / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
            splits[split].append(name)
    mean, std = mean_and_std(features)
    np.save(folder / "Mean.npy", mean)
    np.save(folder / "Std.npy", std)
    np.save(folder / "new_joint_vecs" / "007975.npy", np.full((60, 263), np.nan, np.float32))
    (folder / "texts" / "007975.txt").write_text("a person walks.#a/DET person/NOUN walk/VERB#0.0#0.0\n")
    splits["train"] += ["007975", "099999"]
    for name, ids in splits.items():
        (folder / f"{name}.txt").write_text("\n".join(ids) + "\n")
    (folder / "all.txt").write_text("\n".join(one for ids in splits.values() for one in ids) + "\n")
    return sorted(tags), tags


def _lines(captions: list, is_mirrored: bool, tags: dict[str, tuple[str, str]]) -> Iterator[str]:
    for caption in captions:
        pairs = [token.rpartition("/")[::2] for token in caption.tokens]
        words = [word for word in caption.text.lower().replace(",", " ").replace(".", " ").split() if word.isalpha()]
        for word in words:
            tags.setdefault(
                word, next(((lemma, tag) for lemma, tag in pairs if word.startswith(lemma[:4])), (word, "NOUN"))
            )
        text = mirror_caption(caption.text) if is_mirrored else caption.text
        lemmas = [(SWAPPED.get(lemma, lemma) if is_mirrored else lemma, tag) for lemma, tag in pairs]
        yield f"{text}#{' '.join(f'{lemma}/{tag}' for lemma, tag in lemmas)}#0.0#0.0"


def make_kitml(source: Path, folder: Path) -> None:
    """Describe a set's clips as TMR describes KIT-ML: annotations with times, over features of whole sequences."""
    annotations = {}
    (folder / "splits").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        names = [name for name in (source / f"{split}.txt").read_text().split() if int(name.strip("M")) < 7000]
        (folder / "splits" / f"{split}.txt").write_text("\n".join(names) + "\n")
        for name in names:
            file = source / "new_joint_vecs" / f"{name}.npy"
            features = np.load(file)
            place = folder / "features" / ("M" if name[0] == "M" else "") / f"{name.strip('M')}.npy"
            place.parent.mkdir(parents=True, exist_ok=True)
            np.save(place, features)
            texts = [line.split("#")[0] for line in (source / "texts" / f"{name}.txt").read_text().splitlines()]
            end = min(len(features) / 20, 9.9)
            annotations[name] = {
                "path": f"{'M/' if name[0] == 'M' else ''}{name.strip('M')}", "duration": end,
                "annotations": [{"seg_id": f"{name}_{at}", "text": text, "start": 0.0, "end": end}
                                for at, text in enumerate(texts)],
            }  # fmt: skip
    listed = (folder / "splits" / "test.txt").read_text().split()
    (folder / "splits" / "nsim_test.txt").write_text("\n".join(listed[:20]) + "\n")
    (folder / "annotations.json").write_text(json.dumps(annotations))


def make_kit_own(source: Path, folder: Path) -> None:
    """Write a set's clips with KIT-ML's own features."""
    for name in ("new_joint_vecs", "texts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    made = []
    for split in ("train", "val", "test"):
        names = [name for name in (source / f"{split}.txt").read_text().split() if int(name.strip("M")) < 7000]
        (folder / f"{split}.txt").write_text("\n".join(names) + "\n")
        for name in names:
            made.append(joints_to_features(_as_kit(np.load(source / "new_joints" / f"{name}.npy")), body=KIT))
            np.save(folder / "new_joint_vecs" / f"{name}.npy", made[-1])
            (folder / "texts" / f"{name}.txt").write_text((source / "texts" / f"{name}.txt").read_text())
    mean, std = mean_and_std(made)
    np.save(folder / "Mean.npy", mean)
    np.save(folder / "Std.npy", std)


def _as_kit(joints: np.ndarray) -> np.ndarray:
    """Return KIT-ML's joints (T, 21, 3), millimetres at 12.5 a second, of ours (T, 22, 3); feet get toes."""
    ours = [0, 3, 6, 12, 15, 17, 19, 21, 16, 18, 20, 2, 5, 8, 11, 11, 1, 4, 7, 10, 10]
    taken = resample(joints, 20.0, KIT.fps)[:, ours]
    for toe in (15, 20):
        taken[:, toe] += 0.5 * (taken[:, toe - 1] - taken[:, toe - 2]) * [1.0, 0.0, 1.0]
    return (taken / KIT.unit).astype(np.float32)


def make_motionx(folder: Path, num_clips: int) -> None:
    """Write clips in the folders of Motion-X: (T, 52, 3) joints, a text for each, lists of paths."""
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for index in range(num_clips):
        # As Motion-X contains HumanML3D: half of the clips are those, of other splits than there.
        clip = make_clip(1, index) if index % 2 else make_clip(0, num_clips - 1 - index)
        name = f"{'dance' if index % 2 else 'humanml'}/subset_{index % 4:04d}/clip_{index}"
        body = clip.take.joints
        faster = np.linspace(0, len(body) - 1, len(body) * 3 // 2)  # 20 to 30 a second
        body = interp1d(np.arange(len(body)), body, axis=0)(faster)
        hands = np.repeat(body[:, 20:22], 15, axis=1)
        for kind in ("joints", "texts"):
            (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / "joints" / f"{name}.npy", np.concatenate([body, hands], axis=1).astype(np.float32))
        (folder / "texts" / f"{name}.txt").write_text(clip.captions[0].text)
        split = next((split for split, end in SHARES.items() if index / num_clips < end), "train")
        splits[split].append(name)
    (folder / "splits").mkdir(exist_ok=True)
    for split, names in splits.items():
        (folder / "splits" / f"{split}.txt").write_text("\n".join(names) + "\n")


# ---- models ----------------------------------------------------------------------------------------------------------


def make_models(folder: Path, words: list[str]) -> None:
    """Write small random models in transformers' layout."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import (
        BertConfig,
        BertModel,
        DistilBertConfig,
        DistilBertModel,
        MPNetConfig,
        MPNetModel,
        PreTrainedTokenizerFast,
        T5Config,
        T5ForConditionalGeneration,
        T5Tokenizer,
        ViTConfig,
        ViTModel,
    )

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    splitter = Tokenizer(models.WordLevel({word: at for at, word in enumerate(pieces)}, unk_token="[UNK]"))
    splitter.normalizer, splitter.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=splitter, pad_token="[PAD]", unk_token="[UNK]",
                                        cls_token="[CLS]", sep_token="[SEP]", model_max_length=128)  # fmt: skip
    sizes = {"vocab_size": len(pieces), "max_position_embeddings": 130}
    wide = sizes | {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    made = {
        "distilbert": DistilBertModel(DistilBertConfig(**sizes, dim=16, n_layers=1, n_heads=2, hidden_dim=32)),
        "mpnet": MPNetModel(MPNetConfig(**wide)),
        "bert": BertModel(BertConfig(**wide)),
    }
    for name, model in made.items():
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    image = {"image_size": 224, "patch_size": 16, **{name: wide[name] for name in wide if name not in sizes}}
    ViTModel(ViTConfig(**image), add_pooling_layer=False).save_pretrained(folder / "vit")
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -3.0) for word in words)]
    vocabulary += [
        (letter, -8.0) for letter in "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:.,#_/\"'()?!-"
    ]
    vocabulary += [(f"<extra_id_{number}>", 0.0) for number in range(99, -1, -1)]
    text = T5Tokenizer(vocab=vocabulary)
    config = T5Config(vocab_size=len(text), d_model=16, d_kv=8, d_ff=24, num_layers=1, num_decoder_layers=1,
                      num_heads=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
                      decoder_start_token_id=0)  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder / "t5")
    text.save_pretrained(folder / "t5")


def make_guo(folder: Path, words: list[str], num_features: int) -> None:
    """Write Guo et al.'s evaluator as it was released."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = {
        "movement_encoder": MovementEncoder(num_features - 4, 24, 16).state_dict(),
        "motion_encoder": MotionEncoder(16, 24, 16).state_dict(),
        "text_encoder": TextEncoder(12, 24, 16).state_dict(),
    }
    torch.save({**networks, "epoch": 1, "iter": 1}, folder / "finest.tar", _use_new_zipfile_serialization=False)
    rng = np.random.default_rng(0)
    unit = 1.0 if num_features == 263 else 1 / KIT.unit
    np.save(folder / "mean.npy", np.zeros(num_features))
    np.save(folder / "std.npy", np.concatenate([np.full(num_features - 4, 0.5 * unit), np.full(4, 0.02)]))
    known = ["unk", "sos", "eos", *words]
    np.save(folder / "our_vab_data.npy", rng.normal(size=(len(known), 12)))
    (folder / "our_vab_words.pkl").write_bytes(pickle.dumps(known, protocol=2))
    (folder / "our_vab_idx.pkl").write_bytes(pickle.dumps({word: at for at, word in enumerate(known)}, protocol=2))


def make_spacy(folder: Path, tags: dict[str, tuple[str, str]]) -> None:
    """Write the stand-in for spaCy and its English model."""
    for package, code in (("spacy", SPACY), ("en_core_web_sm", "")):
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "__init__.py").write_text(code)
    (folder / "spacy" / "tags.json").write_text(json.dumps(tags))


def make_settings(folder: Path, models: Path) -> None:
    """Write the settings that are laid over the papers'."""
    codes, small = {"num_codes": 32}, {"num_layers": 1, "num_heads": 2, "feedforward": 32}
    text = {"text_model": str(models / "distilbert")}
    filters, vision = {"filter_model": str(models / "mpnet")}, {"vision_model": str(models / "vit")}
    settings = {
        "tokenizer": {"width": 16, "code_dim": 16, "depth": 1, "num_val_clips": 4, **codes, "loop": LOOP},
        "pl_tmr": {"model": {"part_width": 16, "projection_dim": 16, **small}, **text, "loop": LOOP},
        "motion_patches": {"model": {"projection_dim": 16}, **vision, **text, "loop": LOOP},
        "tmr": {"model": {"width": 16, **small}, **text, **filters, "loop": LOOP},
        "lm_pretrain": {"hub": str(models / "t5"), **codes, "validation_clips": 4, "loop": LOOP},
        "lm_instruct": {**codes, "validation_clips": 4, "loop": LOOP},
        "copy": {"loop": LOOP},
        "evaluation": {
            "generations": 2,
            "repeats": 2,
            "num_multimodal": 2,
            "multimodal_generations": 2,
            "bertscore_rescaled": False,
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in settings.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))


if __name__ == "__main__":
    main()

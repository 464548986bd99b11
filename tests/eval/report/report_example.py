"""A made-up evaluation with every task in it: seeded numbers in the writer's shapes, and real little motions."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.make import make_clip
from remogpt.eval.physical import NAMES
from remogpt.runtime.files import write_npy

SPLITS = ("test", "test_unseen")
MODES = ("retrieval", "retrieval_best_of_8", "no_retrieval", "no_retrieval_best_of_8")
CONTROLS = ("real", "retrieved", "nearest_training")
FACTORS = {"action": 80, "angle": 18, "composition": 43, "count": 115, "direction": 168, "order": 45, "side": 148}
NUM_RAREST = 5
SKILL = {"real": 1.0, "retrieved": 0.55, "nearest_training": 0.7, "retrieval": 0.6, "retrieval_best_of_8": 0.75,
         "no_retrieval": 0.5, "no_retrieval_best_of_8": 0.7, "own": 0.6, "none": 0.5, "kitchen": 0.45}  # fmt: skip

Scores = dict[str, Any]


@cache
def clip_of(index: int) -> ProceduralClip:
    """Clip of the procedural set, made once."""
    return make_clip(0, index)


def example_report(folder: Path, seed: int = 0) -> Scores:
    """Make results of every task; motions of the rare prompts are written below `folder`."""
    rng = np.random.default_rng(seed)
    results: Scores = {}
    for split in SPLITS:
        scores = {f"tokenizer/{split}": _tokenizer(rng), f"retrieval/{split}": _retrieval(rng)}
        for mode in (*MODES, *CONTROLS):
            scores[f"generation/{split}/{mode}"] = _generation(rng, SKILL[mode])
            scores[f"facts/{split}/{mode}"] = _facts(rng, SKILL[mode])
        for mode in (*MODES, "retrieved"):
            scores[f"captioning/{split}/{mode}"] = _captioning(rng, SKILL[mode])
        for mode, level in (("retrieval", 4.1), ("no_retrieval", 4.4), ("real", 3.0)):
            scores[f"rare/{split}/{mode}"] = _rare(rng, level)
        scores[f"rare/{split}/retrieval"] |= {
            "gain": _curve(rng, 0.3, 0.05), "rarest": [_prompt(folder, split, index) for index in range(NUM_RAREST)]
        }  # fmt: skip
        for database in ("own", "none", "kitchen"):
            makers = {"generation": _generation, "facts": _facts, "captioning": _captioning}
            scores[f"swap/{split}/{database}"] = {key: make(rng, SKILL[database]) for key, make in makers.items()}
        results |= {name: {"card": _card(name, split), "scores": value} for name, value in scores.items()}
    return {"format": 2, "missing_splits": ["test_far"], "results": results}


def _card(name: str, split: str) -> Scores:
    card: Scores = {
        "model": "mini", "hashes": {"tokenizer": "89" * 32, "retriever": "66" * 32, "lm": "72" * 32},
        "code_version": "0.1.0", "set": "remogpt-procedural", "licence": "MIT", "split": split, "num_items": 200,
        "items_sha256": f"{abs(hash_of(name)):016x}", "seed": 0,
    }  # fmt: skip
    if name.startswith(("generation", "rare", "swap", "captioning")):
        card |= {"pool": 32, "repeats": 20, "evaluator_dependence": None,
                 "evaluator": {"name": "mocap-evaluator", "hash": "ab" * 32, "trained_on": "bandai"}}  # fmt: skip
    return card


def hash_of(name: str) -> int:
    """A number that belongs to a name, the same in every process."""
    return int.from_bytes(name.encode()[-7:], "big")


def _pm(rng: np.random.Generator, mean: float, spread: float = 0.05) -> Scores:
    return {"mean": float(mean * (1 + spread * rng.normal())), "ci95": float(abs(mean) * spread * rng.random())}


def _tokenizer(rng: np.random.Generator) -> Scores:
    sizes = {"mpjpe": 38.0, "mpjpe_global": 107.0, "pa_mpjpe": 32.0, "accel": 8.1}
    scores = {name: float(value * (1 + 0.1 * rng.random())) for name, value in sizes.items()}
    scores |= {f"{name}_ci95": 0.03 * value for name, value in scores.items()}
    return scores | {"codes_used": 495, "perplexity": 311.5, "num_items": 378.0, "fid": 0.021, **_bodies(rng, 0.9),
                     "facts": _facts(rng, 0.9)}  # fmt: skip


def _retrieval(rng: np.random.Generator) -> Scores:
    size, scores = 378, {}
    curve = 100 * (1 - np.exp(-np.arange(1, 51) / (4 + 2 * rng.random())))
    for protocol, length, factor in (
        ("normal", size, 1.0),
        ("threshold", size, 1.2),
        ("nsim", 60, 1.5),
        ("guo", 32, 1.6),
    ):
        ways = {way: np.minimum(100.0, curve * factor * (1.0 if way == "t2m" else 0.96)) for way in ("t2m", "m2t")}
        scores[protocol] = {
            f"{way}/R@{k}": round(float(row[k - 1]), 2) for way, row in ways.items() for k in (1, 2, 3, 5, 10)
        }
        scores[protocol] |= {
            f"{way}/{key}": value for way in ways for key, value in (("MedR", 4.0), ("len", float(length)))
        }
    scores["normal"] |= {f"{way}/R@{k}_ci95": 4.91 for way in ("t2m", "m2t") for k in (1, 10)}
    return {
        **scores,
        "recall_curve": {"t2m": np.round(curve, 2).tolist(), "m2t": np.round(0.96 * curve, 2).tolist()},
        "chance": {f"R@{k}": round(100 * k / size, 2) for k in (1, 2, 3, 5, 10)} | {"MedR": (size + 1) / 2},
    }


def _of_networks(rng: np.random.Generator, skill: float) -> Scores:
    scores = {"fid": _pm(rng, 0.001 + 2 * (1 - skill)), "mm_dist": _pm(rng, 3 + 4 * (1 - skill), 0.01)}
    scores |= {"diversity": _pm(rng, 9.5, 0.02), "multimodality": _pm(rng, 2.0)}
    return scores | {
        f"{way}/R{k}": _pm(rng, 0.8 * skill * (0.55 + 0.15 * k), 0.01) for way in ("t2m", "m2t") for k in (1, 2, 3)
    }


def _bodies(rng: np.random.Generator, skill: float) -> Scores:
    sizes = dict(zip(NAMES, (0.06, 1.3, 0.34, 4.2, 87.0, 5.6), strict=True))
    worse = {name: float(min(1.0, 0.05 + (1 - skill) * rng.random())) for name in NAMES}
    return {"physical": {name: _pm(rng, size, 0.2) for name, size in sizes.items()},
            "worse_than_95_percent_of_real": worse, "frames": _pm(rng, 97),
            "frames_real": _pm(rng, 104)}  # fmt: skip


def _generation(rng: np.random.Generator, skill: float) -> Scores:
    near = {"nearest_generated": 1.1, "nearest_real": 1.2, "ratio": 0.92, "share_nearer_than_real": 0.06}
    return {"evaluator": _of_networks(rng, skill), **_bodies(rng, skill), "memorisation": near, "copied_share": 0.02,
            "overlap_with_examples": _pm(rng, 0.13), "num_items": 200, "items": []}  # fmt: skip


def _facts(rng: np.random.Generator, skill: float) -> Scores:
    shares = {name: {"share": float(np.clip(skill - 0.3 * rng.random() * (skill < 1), 0, 1)), "num_facts": count}
              for name, count in FACTORS.items()}  # fmt: skip
    mean = float(np.mean([value["share"] for value in shares.values()]))
    return {"share": mean, "ci95": 0.04, "all_hold": mean / 2, "num_items": 200, "num_facts": sum(FACTORS.values()),
            "by_factor": shares, "real": 0.997, "shuffled": 0.04, **_bodies(rng, skill),
            "second_detectors": {"share": 0.9 * mean, "ci95": 0.05, "real": 0.981, "shuffled": 0.05,
                                 "by_factor": {name: {**value, "share": 0.9 * value["share"]}
                                               for name, value in shares.items()}}}  # fmt: skip


def _captioning(rng: np.random.Generator, skill: float) -> Scores:
    def protocol() -> Scores:
        values = {"bleu1": skill, "bleu4": 0.5 * skill, "rougeL": 0.8 * skill, "cider": skill, "length": 11.3}
        return {name: value * (1 - 0.1 * rng.random()) for name, value in values.items()} | {
            "rougeL_ci95": 0.02, "cider_ci95": 0.05, "num_items": 200.0, "num_empty": 0.0
        }  # fmt: skip

    items = [{"id": clip.id, "caption": clip.captions[1].text, "references": [one.text for one in clip.captions]}
             for clip in map(clip_of, range(10))]  # fmt: skip
    scored = {name: value for name, value in _of_networks(rng, skill).items() if "/R" in name or name == "mm_dist"}
    return {"raw": protocol(), "ptb": protocol(), "bertscore": {"model": "tiny-bert", "f1": 0.4 * skill},
            "evaluator": scored, "copied_share": 0.01, "num_items": 200, "items": items}  # fmt: skip


def _curve(rng: np.random.Generator, level: float, slope: float) -> Scores:
    counts = np.round(60 * np.exp(-0.5 * np.arange(10))).astype(int)
    counts[8] = 0
    means = [
        None if not count else float(level + slope * index + 0.1 * rng.normal()) for index, count in enumerate(counts)
    ]
    half = [None if not count else float(1.0 / np.sqrt(count)) for count in counts]
    return {"edges": np.linspace(0.0, 0.42, 11).tolist(), "means": means, "ci95": half, "counts": counts.tolist()}


def _rare(rng: np.random.Generator, level: float) -> Scores:
    def against() -> Scores:
        return {"num_items": 200, "num_rare": 10, "mm_dist": level, "mm_dist_rare": level + 1.2,
                "mm_dist_rare_ci95": 0.4, "mm_dist_balanced": level + 0.6, "bins": _curve(rng, level, 0.2),
                "rarest": [3, 1, 4, 15, 9], "diversity_rare": 8.1, "num_pairs": 5}  # fmt: skip

    return {"encoder": "tiny-sentences 0123456789ab", "num_items": 200, "training": against(), "database": against()}


def _prompt(folder: Path, split: str, index: int) -> Scores:
    shown = {}
    for shift, name in enumerate(("real", "retrieved", "generated", "without_retrieval")):
        clip = clip_of((3 * shift + index) % 10)
        shown[name] = f"rarest/{split}/{index}/{name}.npy"
        # Features as models write them, and joints as other people's files hold them.
        write_npy(folder / shown[name], clip.features if shift else clip.take.joints)
    clip = clip_of(index)
    return {"id": clip.id, "caption": clip.captions[0].text, "rareness": 0.42 - 0.01 * index, "motions": shown,
            "nearest_caption": clip.captions[1].text, "mm_dist": 4.1, "mm_dist_without_retrieval": 4.4}  # fmt: skip

"""Time the metric stage of a HumanML3D-size test, beside a plain version that handles one item at a time.

  OMP_NUM_THREADS=1 python -m benchmarks.metrics --out benchmarks/results/metrics.json

Embeddings are given (synthetic, 512 wide, 4,384 items; 100 texts x 30 generations for MultiModality), 20 repeats,
motion generated anew for each repeat. Captions are synthetic too: 4,200 items with three references, or real ones with
--captions (a JSON with `cases`, each with `references` and `outputs`). CIDEr of pycocoevalcap runs in the same process
where it is installed. Both versions must agree, else the run fails.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from benchmarks.command import command
from remogpt.eval import generation
from remogpt.eval.captioning import three_references
from remogpt.eval.text.cider import cider_scores

NUM_ITEMS, WIDTH, REPEATS, GROUP = 4384, 512, 20, 32
REFERENCE_SECONDS = {"FID once": 0.55, "R-precision and MM-dist once": 0.026, "CIDEr, 4,200 items": 3.7}
"""Reference code on one thread of another machine of this kind, measured once."""


def make_embeddings(seed: int = 0) -> dict[str, np.ndarray]:
    """Draw text, real, generated (one set per repeat) and multimodal embeddings that resemble a trained evaluator's."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(WIDTH, WIDTH)) * np.linspace(1.5, 0.05, WIDTH)
    text = (rng.normal(size=(NUM_ITEMS, WIDTH)) @ mixing / np.sqrt(WIDTH)).astype(np.float32)
    # A motion shares little enough with its caption that R-precision lies where published models lie.
    real = 0.2 * text + rng.normal(size=text.shape).astype(np.float32)
    generated = np.stack([0.15 * text + rng.normal(size=text.shape).astype(np.float32) for _ in range(REPEATS)])
    multimodal = rng.normal(size=(100, 30, WIDTH)).astype(np.float32)
    return {"text": text, "real": real, "generated": generated, "multimodal": multimodal}


def ours(data: dict[str, np.ndarray], seed: int = 0) -> dict[str, float]:
    """The whole stage with this project's functions."""
    result = generation.evaluate(
        data["text"], data["generated"], data["real"], multimodal=data["multimodal"], repeats=REPEATS, seed=seed
    )
    return {name: value["mean"] for name, value in result.items()}


def plain(data: dict[str, np.ndarray], seed: int = 0) -> dict[str, float]:
    """The same stage with loops over items, and everything computed again in every repeat."""
    rng = np.random.default_rng(seed)
    orders = generation.draw_pools(NUM_ITEMS, REPEATS, rng)
    rows: list[dict[str, float]] = []
    for repeat in range(REPEATS):
        motion, text, order = data["generated"][repeat], data["text"], orders[repeat]
        scores = {"fid": plain_frechet_distance(data["real"], motion)}
        scores["mm_dist"] = float(np.mean([np.linalg.norm(a - b) for a, b in zip(text, motion, strict=True)]))
        for way, left, right in (("t2m", text[order], motion[order]), ("m2t", motion[order], text[order])):
            for k, value in enumerate(plain_r_precision(left, right), 1):
                scores[f"{way}/R{k}"] = value
        pairs = generation.draw_pairs(NUM_ITEMS, 300, rng)
        scores["diversity"] = float(
            np.mean([np.linalg.norm(motion[i] - motion[j]) for i, j in zip(*pairs, strict=True)])
        )
        first, second = generation.draw_pairs(30, 10, rng)
        scores["multimodality"] = float(np.mean([
            np.linalg.norm(item[i] - item[j]) for item in data["multimodal"] for i, j in zip(first, second, strict=True)
        ]))  # fmt: skip
        rows.append(scores)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def plain_r_precision(left: np.ndarray, right: np.ndarray) -> list[float]:
    """R-precision by sorting the distances of one query at a time."""
    hits = np.zeros(3)
    num_items = len(left) // GROUP * GROUP
    for row in range(num_items):
        start = row // GROUP * GROUP
        distances = [np.linalg.norm(left[row] - right[column]) for column in range(start, start + GROUP)]
        place = np.argsort(distances).tolist().index(row - start)
        hits += np.arange(3) >= place
    return list(hits / num_items)


def plain_frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """FID with the matrix root of the product of covariances."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    shift = a.mean(0) - b.mean(0)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root.real))


def make_captions(seed: int = 0, num_items: int = 4200) -> tuple[list[str], list[list[str]]]:
    """Draw sentences of a small vocabulary, a hypothesis and three references for each item."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(1500)])
    odds = 1.0 / np.arange(1, len(words) + 1)
    odds /= odds.sum()

    def sentence() -> str:
        return " ".join(rng.choice(words, size=rng.integers(6, 18), p=odds))

    return [sentence() for _ in range(num_items)], [[sentence() for _ in range(3)] for _ in range(num_items)]


def read_captions(path: Path, num_items: int = 4200) -> tuple[list[str], list[list[str]]]:
    """Read a published file of predictions; the last method of each case is the hypothesis."""
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"][:num_items]
    return [list(case["outputs"].values())[-1] for case in cases], [
        three_references(case["references"]) for case in cases
    ]


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Return the best wall time in seconds and the value of the last call."""
    best, value = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        value = call()
        best = min(best, time.perf_counter() - start)
    return best, value


def time_cider(captions: tuple[list[str], list[list[str]]]) -> dict[str, Any]:
    """Time CIDEr here and in pycocoevalcap, three runs each, best of them, from strings to scores."""
    hypotheses, references = captions
    own_seconds, scores = timed(
        lambda: cider_scores([h.split() for h in hypotheses], [[r.split() for r in item] for item in references]), 3
    )
    result: dict[str, Any] = {"items": len(hypotheses), "ours_s": round(own_seconds, 3), "ours": float(scores.mean())}
    try:
        from pycocoevalcap.cider.cider import Cider
    except ImportError:
        return result | {"pycocoevalcap_s": None}
    keyed = dict(enumerate(references)), {place: [text] for place, text in enumerate(hypotheses)}
    seconds, (theirs, _) = timed(lambda: Cider().compute_score(*keyed), 3)
    if abs(theirs - result["ours"]) > 1e-9:
        raise SystemExit(f"CIDEr differs: ours {result['ours']}, pycocoevalcap {theirs}")
    return result | {"pycocoevalcap_s": round(seconds, 3), "times_faster": round(seconds / own_seconds, 1)}


def main(words: Sequence[str] | None = None) -> None:
    """Run, compare, write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/metrics.json"))
    parser.add_argument(
        "--captions", type=Path, default=None, help="JSON of real predictions instead of synthetic captions"
    )
    args = parser.parse_args(words)
    data = make_embeddings()
    own_seconds, own = timed(lambda: ours(data))
    plain_seconds, slow = timed(lambda: plain(data))
    for name, value in slow.items():
        if not np.isclose(own[name], value, rtol=1e-4, atol=1e-6):
            raise SystemExit(f"{name} differs: ours {own[name]}, plain {value}")
    result = {
        "command": command(),
        "machine": {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS"), "cpu": platform.machine(),
                    "python": platform.python_version(), "numpy": np.__version__,
                    "load_average": round(os.getloadavg()[0], 1)},
        "metric_stage": {"items": NUM_ITEMS, "repeats": REPEATS, "ours_s": round(own_seconds, 2),
                         "plain_s": round(plain_seconds, 2), "times_faster": round(plain_seconds / own_seconds, 1)},
        "cider": {"captions": "published predictions" if args.captions else "synthetic",
                  **time_cider(read_captions(args.captions) if args.captions else make_captions())},
        "reference_code_s_quoted": REFERENCE_SECONDS,
        "values": {name: round(value, 6) for name, value in own.items()},
    }  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

"""Make a small set of captioned motion, train a tokenizer on it, and measure it: three functions of remogpt.stages.

python examples/train_tokenizer.py runs/example --clips 200 --steps 300
"""

import argparse
from pathlib import Path

from remogpt.data.procedural.make import make_procedural_set
from remogpt.eval.runs.config import EvalConfig
from remogpt.runtime.training.loop import LoopConfig
from remogpt.stages import evaluate, train_tokenizer
from remogpt.tokenizer_vqvae.train import TokenizerConfig

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("out", type=Path)
parser.add_argument("--clips", type=int, default=200)
parser.add_argument("--steps", type=int, default=300)
args = parser.parse_args()

make_procedural_set(args.out / "set", args.clips, seed=0, workers=1)
loop = LoopConfig(steps=args.steps, batch_size=16, learning_rate=5e-4, cpu=True)
config = TokenizerConfig(width=64, num_codes=128, code_dim=32, depth=2, loop=loop)
tokenizer = train_tokenizer(args.out / "set", out=args.out / "tokenizer", config=config)

quick = EvalConfig(splits=("test",), num_tokenizer=20)
report = evaluate(
    None, args.out / "set", out=args.out / "eval", tokenizer=args.out / "tokenizer", tasks="tokenizer", config=quick
)
scores = report["results"]["tokenizer/test"]["scores"]
print(f"{tokenizer.hash[:12]}: joints are off by {scores['mpjpe']:.0f} mm, {scores['codes_used']} codes in use")

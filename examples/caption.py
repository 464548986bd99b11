"""Write a caption for each motion file.

python examples/caption.py recordings/*.bvh
"""

import argparse

from remogpt import ReMoGPT, load_motion

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("files", nargs="+", help=".bvh, .glb, .amc (its .asf beside it), .mat, .npy, .npz")
parser.add_argument("--model", help="model folder; the embedded mini without it")
args = parser.parse_args()

model = ReMoGPT.from_pretrained(args.model)
answers = model.caption([load_motion(file) for file in args.files])
for file, answer in zip(args.files, answers, strict=True):
    print(f"{file}: {answer.text}")

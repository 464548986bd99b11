"""Write motions for a caption, and see which examples they were written after.

python examples/generate.py "a person waves with the right hand" wave.html
"""

import argparse

from remogpt import GenerationOptions, ReMoGPT

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("caption")
parser.add_argument("out", help="the suffix chooses: .html (a player), .bvh, .glb, .gif, .mp4, .png, .npy, .npz")
parser.add_argument("--model", help="model folder; the embedded mini without it")
parser.add_argument("--seconds", type=float, help="the length; the model stops by itself without it")
args = parser.parse_args()

model = ReMoGPT.from_pretrained(args.model)
options = GenerationOptions(best_of=4, temperature=0.9)  # what is left out is as the model has it
(answer,) = model.generate(args.caption, seconds=args.seconds, seed=0, options=options)
answer.motion.save(args.out)
print(f"{args.out}: {answer.motion.num_frames / answer.motion.fps:.1f} s")
for example in answer.examples:
    print(f"  {'followed' if example.used else 'left out'}  {example.score:.2f}  {example.caption}")

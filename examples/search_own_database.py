"""Build a database from motion files of one's own, search it by words, and generate with its examples.

python examples/search_own_database.py recordings/ databases/mine "a person waves"
"""

import argparse
from pathlib import Path

from remogpt import ReMoGPT, load_motion
from remogpt.retriever import DatabaseEntry, MotionDatabase

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("recordings", type=Path, help="folder of .bvh files; a file's name is its caption")
parser.add_argument("out", help="folder of the database")
parser.add_argument("caption", help="what to look for")
parser.add_argument("--model", help="model folder; the embedded mini without it")
args = parser.parse_args()

model = ReMoGPT.from_pretrained(args.model)
entries = [
    DatabaseEntry(
        id=path.stem,
        source_id=path.stem,  # clips of one recording share it
        mirror_of=None,
        captions=(path.stem.replace("_", " "),),
        features=load_motion(path).features,
    )
    for path in sorted(args.recordings.glob("*.bvh"))
]
if not entries:
    parser.error(f"{args.recordings} has no .bvh file")
database = MotionDatabase.build(entries, model.retriever, model.tokenizer, args.out)
for hit in database.search(text=args.caption, route="t2m", k=3):
    print(f"{hit.score:.2f}  {hit.id}")

(answer,) = model.generate(args.caption, database=database, seed=0)
print("shown to the model:", [example.id for example in answer.examples if example.used])
print("left out, since they do not answer the caption:", [one.id for one in answer.examples if not one.used])

#!/usr/bin/env bash
# An evaluator of one's own: a retriever that scores models, and that none of them was made with.
#
#   scripts/evaluator.sh [FOLDER [SET]]    all work goes to FOLDER (default runs/evaluator); the evaluator to FOLDER/evaluator
#
# Without SET it makes a procedural set of other clips and another seed than mini's (scripts/mini.sh): the embedded evaluator.
# With SET, a folder in HumanML3D's layout, it trains on that set's training split by the same settings; train the scored
# models on other data then, or the evaluation says that the evaluator is not independent of them.
#
# One core, about half an hour, no GPU, no download beyond the installed packages. Kill it at any point and start it again.
# `cp FOLDER/evaluator/* remogpt/models/evaluator` ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi

work=${1:-runs/evaluator}
data=${2:-$work/set}
mkdir -p "$work"
stage() { printf '\n== %s  (%s)\n' "$1" "$(date +%H:%M:%S)"; }

if [ $# -lt 2 ]; then
    stage "1. captioned motion"
    remogpt data make --out "$data" --clips 8000 --seed 1000 --unseen-share 0 --vocabulary wide
    remogpt data check "$data" --clips 500
fi

export OMP_NUM_THREADS=1
stage "2. the evaluator"
remogpt train retriever --config evaluator/procedural --data "$data" --out "$work/retriever"

stage "3. what it can tell, on clips that it was not trained on"
remogpt eval retrieval --data "$data" --retriever "$work/retriever" --out "$work/eval" --config.splits '[test]'

stage "4. the part without its training run"
mkdir -p "$work/evaluator"
cp "$work"/retriever/*.json "$work"/retriever/*.safetensors "$work/evaluator"
du -sh "$work/evaluator"

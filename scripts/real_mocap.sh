#!/usr/bin/env bash
# A model of real motion capture that goes on from mini, from recordings to numbers with other databases, a wrong one and an
# empty one.
#
#   scripts/real_mocap.sh RECORDINGS [FOLDER]    all work goes to FOLDER (default runs/real_mocap); the model to FOLDER/model
#
# RECORDINGS is the Bandai-Namco Research Motion Dataset: the folder it was downloaded to, or its joints packed in one .npz.
# Your own recordings: make a set of them first, and give its folder instead:
#
#   remogpt data import folder recordings/ --captions captions.csv --mirror --out sets/mine
#   scripts/real_mocap.sh sets/mine runs/mine
#
# One core, no GPU, no download beyond the installed packages. Kill it at any point and start it again: every stage goes on
# from its last checkpoint; what is finished is not trained again.
set -euo pipefail
recordings=$(realpath "${1:?name the recordings: scripts/real_mocap.sh RECORDINGS [FOLDER]}")
work=$(realpath -m "${2:-runs/real_mocap}")
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
export OMP_NUM_THREADS=1

mkdir -p "$work"
stage() { printf '\n== %s  (%s)\n' "$1" "$(date +%H:%M:%S)"; }

stage "1. captioned motion"
if [ -d "$recordings/new_joint_vecs" ]; then
    set=$recordings
    labels=null
else
    set=$work/set
    labels=content,style  # clips with the same ones are right answers to each other's captions
    remogpt data import bandai "$recordings" --mirror --out "$set"
fi
licence=$(python -c 'import sys; from remogpt.data.humanml3d import MotionTextSet; print(MotionTextSet.open(sys.argv[1]).licence)' "$set")
mini=$(python -c 'import remogpt; print(remogpt.ReMoGPT.from_pretrained().folder)')

stage "2. tokenizer: mini's codes, decoded as these recordings move"
remogpt train tokenizer --config real_mocap/tokenizer --config.start_from "$mini/tokenizer" --data "$set" --out "$work/tokenizer"

stage "3. retriever, and another one that evaluates"
remogpt train retriever --config real_mocap/retriever --data "$set" --out "$work/retriever" \
    --config.same_tag "$labels"
remogpt train retriever --config real_mocap/retriever --data "$set" --out "$work/evaluator" \
    --config.same_tag "$labels" --config.model.layout disjoint --config.loop.seed 1000

stage "4. database of the training split, and each clip's neighbours in it"
parts=(--retriever "$work/retriever" --tokenizer "$work/tokenizer")
for split in train val; do
    remogpt db build "$set" --split $split --out "$work/database_$split" --compact --no-facts "${parts[@]}"
    remogpt db neighbours "$work/database_train" --queries "$work/database_$split" --out "$work/neighbours_$split.safetensors"
done

stage "5. language model: mini's, which learns these recordings with retrieved examples"
remogpt train lm --config real_mocap/lm --data "$set" --tokenizer "$work/tokenizer" \
    --start-from "$mini/lm" --database "$work/database_train" --out "$work/lm" \
    --neighbours "$work/neighbours_train.safetensors" --val-neighbours "$work/neighbours_val.safetensors"

stage "6. copying from examples, learned from clips that the language model has not seen"
remogpt train copy --config real_mocap/copy --tokenizer "$work/tokenizer" --out "$work/copy" \
    --database "$work/database_train" --queries "$work/database_val" --neighbours "$work/neighbours_val.safetensors"

stage "7. one model folder"
remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/retriever" --lm "$work/lm" --copy "$work/copy" \
    --database "$work/database_train" --name real-mocap --licence "$licence" --best-of 8 --retrieved 8 --copy-strength 2 \
    --copy-strength-alone 4 --out "$work/model"
du -sh "$work/model"

stage "8. numbers: its own database, none, a wrong one (procedural clips, which it has never seen) and an empty one"
remogpt data make --out "$work/procedural" --clips 500 --seed 3000 --unseen-share 0
remogpt db build "$work/procedural" --split all --out "$work/wrong" --compact "${parts[@]}"
remogpt db build "$set" --empty --out "$work/empty" --compact "${parts[@]}"
remogpt eval all --model "$work/model" --data "$set" --evaluator "$work/evaluator" \
    --databases "$work/wrong" "$work/empty" --out "$work/eval" --config.num_generation 0 --config.num_captioning 0 \
    --config.best_of '[1, 8]' --config.modes '[default, retrieval, retrieval_best_of_8]' --config.splits '[test]'

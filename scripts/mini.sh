#!/usr/bin/env bash
# The embedded model, from nothing: data, tokenizer, retriever, database, language model, copying, numbers.
#
#   scripts/mini.sh [FOLDER]        all work goes to FOLDER (default runs/mini); the model to FOLDER/model
#
# Two cores, no GPU, no download beyond the installed packages. Kill it at any point and start it again: every stage
# goes on from its last checkpoint; what is finished is not trained again. `cp -r FOLDER/model remogpt/models/mini` ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

work=${1:-runs/mini}
mkdir -p "$work"
stage() { printf '\n== %s  (%s)\n' "$1" "$(date +%H:%M:%S)"; }

stage "1. captioned motion"
remogpt data make --out "$work/set" --clips 14000 --families 1120 --seed 0 --workers 2 --vocabulary wide
remogpt data check "$work/set" --clips 500

export OMP_NUM_THREADS=1
# Without instructions for it bf16 takes many times as long.
precision=$(grep -qs 'avx512_bf16\|amx_bf16' /proc/cpuinfo || echo "--config.loop.mixed_precision no")

stage "2. tokenizer and retriever, side by side"
remogpt train tokenizer --config mini/tokenizer $precision --data "$work/set" --out "$work/codes" &
remogpt train retriever --config mini/retriever --data "$work/set" --out "$work/retriever"
wait $!

stage "3. language model on bare captions and motions, and the two readers of captions, side by side"
remogpt train lm --config mini/lm_pretrain $precision --data "$work/set" --tokenizer "$work/codes" \
    --out "$work/lm_pretrained" &
remogpt train reader --config mini/reader --out "$work/reader"
remogpt train reader --config mini/reader_large $precision --out "$work/reader_large"
wait $!

stage "4. database of the training split, and each clip's neighbours in it"
parts=(--retriever "$work/retriever" --tokenizer "$work/codes")
for split in train val; do
    remogpt db build "$work/set" --split $split --out "$work/database_$split" --compact --no-facts "${parts[@]}"
    remogpt db neighbours "$work/database_train" --queries "$work/database_$split" --out "$work/neighbours_$split.safetensors"
done

stage "5. language model: instructions with retrieved examples; beside it the copy head, from other clips, and the decoder"
remogpt train lm --config mini/lm_instruct $precision --data "$work/set" --tokenizer "$work/codes" \
    --start-from "$work/lm_pretrained" --database "$work/database_train" --out "$work/lm" \
    --neighbours "$work/neighbours_train.safetensors" --val-neighbours "$work/neighbours_val.safetensors" &
remogpt train copy --config mini/copy --tokenizer "$work/codes" --out "$work/copy" \
    --database "$work/database_train" --queries "$work/database_val" --neighbours "$work/neighbours_val.safetensors"
remogpt train tokenizer --config mini/tokenizer_decoder $precision --config.start_from "$work/codes" --data "$work/set" \
    --out "$work/tokenizer"
wait $!

stage "6. one model folder, with a smaller database to ship"
remogpt db build "$work/set" --split train --limit 1850 --out "$work/small_database" --compact \
    --retriever "$work/retriever" --tokenizer "$work/tokenizer"
remogpt assemble --tokenizer "$work/tokenizer" --retriever "$work/retriever" --lm "$work/lm" --copy "$work/copy" \
    --reader "$work/reader_large" "$work/reader" --retrieved 8 --fact-weight 1.6 --guidance 2 --verify \
    --database "$work/small_database" --name mini --licence MIT --best-of 8 --top-p 1.0 --copy-strength 3 --copy-strength-alone 5 \
    --out "$work/model"
du -sh "$work/model"

stage "7. numbers"
remogpt eval all --model "$work/model" --data "$work/set" --out "$work/eval"

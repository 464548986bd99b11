#!/usr/bin/env bash
# All that has never run on a GPU, in about ten minutes on one: bfloat16, CUDA graphs beside plain decoding, FAISS on the GPU,
# ids a second of T5-base beside transformers.generate, and steps of each of the papers' trainings with their peak memory.
#
#   scripts/gpu_check.sh [--out FILE] [--only CHECK ...]      writes benchmarks/results/gpu_check.json as it goes
#   scripts/gpu_check.sh --device cpu --small --out FILE      tries the script without a GPU, in minutes; no measurement
#
# No download: shapes are real, weights random. Exit code 1 if a check failed; the file says which and why. What each check
# does: benchmarks/gpu_check.py.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
python -m benchmarks.gpu_check "$@"

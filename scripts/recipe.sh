# What the recipes of the papers share: arguments, the list of stages, and a dry run. Sourced by humanml3d.sh, kit.sh, motionx.sh.
#
# A recipe begins with `read_arguments NAME "$@"`, which sets $data, $work, $evaluator (an array of its files) and $dry.
# REHEARSAL names a folder of settings that are laid over the recipe's own: smaller sizes, local models (rehearse.sh).

read_arguments() {
    local name=$1 flag="" words=() arg
    shift
    evaluator=()
    dry=""
    for arg in "$@"; do
        case $arg in
        --dry-run) dry=1 flag="" ;;
        --evaluator) flag=evaluator ;;
        -*) echo "scripts/$name.sh: no option $arg; there are --dry-run and --evaluator FILE_OR_FOLDER..." >&2 && exit 2 ;;
        *) if [ -n "$flag" ]; then evaluator+=("$(realpath -m "$arg")"); else words+=("$(realpath -m "$arg")"); fi ;;
        esac
    done
    if [ ${#words[@]} -lt 1 ] || [ ${#words[@]} -gt 2 ]; then
        echo "usage: scripts/$name.sh DATA [WORK] [--dry-run] [--evaluator FILE_OR_FOLDER...]" >&2
        exit 2
    fi
    data=${words[0]}
    work=${words[1]:-$(realpath -m "runs/$name")}
    if [ -z "$dry" ] && [ ! -e "$data" ]; then
        echo "scripts/$name.sh: no folder $data; --dry-run shows the stages without data" >&2
        exit 2
    fi
    if [ -d .venv-gpu/bin ]; then PATH="$PWD/.venv-gpu/bin:$PATH"; elif [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
    hours=0 gigabytes=0
    # A rehearsal's hundred commands share one process, since each would spend most of its time on importing torch.
    if [ -n "${REHEARSAL:-}" ] && [ -z "$dry" ]; then coproc process { python scripts/one_process.py; }; fi
}

# stage "1. title" HOURS GIGABYTES: estimates for one GPU (docs/guide/humanml3d.md says how they were made).
stage() {
    hours=$(awk "BEGIN {print $hours + $2}") gigabytes=$(awk "BEGIN {print $gigabytes + $3}")
    if [ -n "$dry" ]; then printf '\n== %s: about %s h, %s GB\n' "$@"; else printf '\n== %s  (%s)\n' "$1" "$(date +%H:%M:%S)"; fi
}

# Every command goes through here: a dry run prints it. Exit code 1 is no failure: some clips were left out, and named.
remogpt() {
    local line
    if [ -n "$dry" ]; then
        printf -v line '%q ' remogpt "$@"
        echo "  ${line//$work/WORK}" | sed "s#$data#DATA#g"
    elif [ -n "${REHEARSAL:-}" ]; then
        printf -v line '%q ' "$@"
        echo "$line" >&"${process[1]}"
        read -r line <&"${process[0]}"
        [ "$line" -le 1 ]
    else
        command remogpt "$@" || [ $? -eq 1 ]
    fi
}

# The words that lay a rehearsal's settings over those of a stage; nothing otherwise.
tiny() { if [ -n "${REHEARSAL:-}" ]; then echo "--config $REHEARSAL/$1.yaml"; fi; }

# One settings file for `remogpt needs`, with what a rehearsal lays over it: `with humanml3d/tmr tmr`.
with() { echo "$1${REHEARSAL:+,$REHEARSAL/$2.yaml}"; }

# check_needs GIGABYTES WORDS: what is missing stops a recipe before its first hour; a dry run goes on.
check_needs() {
    local gigabytes=${REHEARSAL:+1}
    gigabytes=${gigabytes:-$1}
    shift
    if ! command remogpt needs "$@" --gigabytes "$gigabytes" --out "$work" && [ -z "$dry" ]; then
        echo "get what is missing, then start this again" >&2
        exit 1
    fi
}

# build_databases DATA RETRIEVER TOKENIZER FOLDER: databases of the splits train and val, and their clips' neighbours in train.
build_databases() {
    local split
    for split in train val; do
        remogpt db build "$1" --split $split --compact --no-facts --retriever "$2" --tokenizer "$3" --out "$4/$split"
        remogpt db neighbours "$4/train" --queries "$4/$split" --out "$4/$split.safetensors"
    done
}

finish() {
    if [ -n "$dry" ]; then
        printf '\nAll: about %s h on one GPU, %s GB. Estimated from speeds measured on a CPU, never measured on a GPU.\n' "$hours" "$gigabytes"
    fi
}

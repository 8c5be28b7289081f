#!/usr/bin/env bash
# Bisects histories of 256 commits on Debian's kernel source, each with an old bug brought in
# somewhere, with kernels that are built and booted, as docs/bisect-real.md has it. Some ten
# minutes each on a quiet host, the first one more. Goes on where it was interrupted.
#
#   scripts/bisect-real.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: scripts/bisect-real.sh FOLDER}
declare -A schedules=(
  [S8c]="writeback@unlocked > invalidate@freed"
  [S6a]="writeback@unlocked > shrinker@done"
  [R1b]="writeback@unlocked > swapoff@trees-freed"
)
. scripts/harness.sh
mutants=()
for id in "${!schedules[@]}"; do mutants+=(--mutant "qemu/kernel/mutants/$id.patch"); done
[[ -e $folder/linux ]] ||
  python3 Tests/bisect-repository.py "$("$harness" kernel source | tail -n 1)" "$folder/linux" \
    "${mutants[@]}" >&2
for id in "${!schedules[@]}"; do
  resume=()
  [[ ! -e $folder/$id/journal.jsonl ]] || resume=(--resume)
  "$harness" bisect --tree "$folder/linux" --good base --bad "$id" --with "" \
    --schedule "${schedules[$id]}" --out "$folder/$id" "${resume[@]}" >&2
done
python3 scripts/bisect-real.py "$folder/linux" "$folder"/{S8c,S6a,R1b}

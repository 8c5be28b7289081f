#!/usr/bin/env bash
# Runs each of some known bugs on fresh guests, with the schedule that names its
# window and nothing else, and writes docs/known-bad.md: how often the first trial
# finds it, and how long after the guest was ready.
#   scripts/known-bad.sh [RUNS]    (default: 100; results stay in runs/known-bad)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/harness.sh
count=${1:-100}
runs=runs/known-bad
mutants=(
  "R1a|writeback@unlocked > swapoff@trees-freed"
  "R1b|writeback@unlocked > swapoff@trees-freed"
  "R2|writeback@unlocked > store@end"
  "R23|writeback@unlocked > swapoff@trees-freed"
  "I3|writeback@done > load@end"
  "I8|writeback@unlocked > invalidate@freed"
)
mkdir -p "$runs"
for mutant in "${mutants[@]}"; do
  id=${mutant%%|*} schedule=${mutant#*|}
  if grep -qs '"status" : "fail"' "$runs/$id/result.json"; then continue; fi
  rm -rf "${runs:?}/$id"
  echo "$id" >&2
  kernel=$("$harness" kernel build --with kasan,lockdep --mutant "$id" 2>/dev/null | tail -n 1)
  # The run itself is the first, and says what is looked for in the others.
  "$harness" run --kernel "$kernel" --provider patch --schedule "$schedule" \
    --confirm "$((count - 1))" --out "$runs/$id" >/dev/null 2>&1 || true
done
python3 scripts/known-bad.py "$count" "$(nproc)" "${mutants[@]/#/$runs|}" | tee docs/known-bad.md

#!/usr/bin/env bash
# Runs what the claims rest on against every mutant of qemu/kernel/mutants, and
# writes docs/mutants.md: which claim each is said to violate, and what was found.
# Results stay in runs/mutants: those that are there and came to an end are not run
# again, and all of them are in the table.
#   scripts/mutants.sh [ID...]
set -euo pipefail
cd "$(dirname "$0")/.."
harness=${HARNESS:-$(swift build --show-bin-path)/harness}
runs=runs/mutants
ids=("$@")
if ((${#ids[@]} == 0)); then
  for file in qemu/kernel/mutants/*.patch; do ids+=("$(basename "$file" .patch)"); done
fi
mkdir -p "$runs"
for id in "${ids[@]}"; do
  if grep -qs '"status" : "\(pass\|fail\|not exercised\)"' "$runs/$id/result.json"; then
    continue
  fi
  rm -rf "${runs:?}/$id"
  echo "$id" >&2
  kernel=$("$harness" kernel build --with kasan,lockdep --mutant "$id" 2>/dev/null | tail -n 1)
  "$harness" run --kernel "$kernel" --scenario claims --provider patch --out "$runs/$id" \
    >/dev/null 2>&1 || true
done

{
  echo "# Mutants"
  echo
  echo "Written by \`scripts/mutants.sh\`: mutants on the KASAN and lockdep kernel, under"
  echo "\`--scenario claims --provider patch\`, TCG, $(nproc) CPUs of the host. The time is the"
  echo "trials' own, from the guest being ready to the end of the first trial with a finding."
  echo "Of $(find qemu/kernel/mutants -name '*.patch' | wc -l) mutants, those that were run:"
  echo
  echo "| mutant | class | claim | exit | violated | first finding | schedule | trial | ms |"
  echo "|---|---|---|---|---|---|---|---|---|"
  for folder in "$runs"/*/; do
    id=$(basename "$folder")
    python3 scripts/mutant-row.py "$id" "qemu/kernel/mutants/$id.patch" "${folder}result.json"
  done
} >docs/mutants.md

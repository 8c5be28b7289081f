#!/usr/bin/env bash
# Runs what the claims rest on against every mutant of qemu/kernel/mutants, and
# writes docs/mutants.md: which claim each is said to violate, and what was found.
#   scripts/mutants.sh [ID...]
set -euo pipefail
cd "$(dirname "$0")/.."
harness=${HARNESS:-$(swift build --show-bin-path)/harness}
ids=("$@")
if ((${#ids[@]} == 0)); then
  for file in qemu/kernel/mutants/*.patch; do ids+=("$(basename "$file" .patch)"); done
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

rows=()
for id in "${ids[@]}"; do
  echo "$id" >&2
  file=qemu/kernel/mutants/$id.patch
  kernel=$("$harness" kernel build --with kasan,lockdep --mutant "$id" 2>/dev/null | tail -n 1)
  status=0
  "$harness" run --kernel "$kernel" --scenario claims --provider patch --out "$folder/$id" \
    >/dev/null 2>"$folder/$id.err" || status=$?
  rows+=("$(python3 scripts/mutant-row.py "$id" "$file" "$folder/$id/result.json" "$status")")
done

{
  echo "# Mutants"
  echo
  echo "Written by \`scripts/mutants.sh\`: every mutant on the KASAN and lockdep kernel, under"
  echo "\`--scenario claims --provider patch\`, TCG, $(nproc) CPUs of the host. The time is the"
  echo "trials' own, from the guest being ready to the end of the first trial with a finding."
  echo
  echo "| mutant | class | claim | exit | violated | first finding | schedule | trial | ms |"
  echo "|---|---|---|---|---|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
} >docs/mutants.md

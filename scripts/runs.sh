#!/usr/bin/env bash
# Runs one kernel many times and counts what came of it.
#   scripts/runs.sh BZIMAGE COUNT [harness arguments]
# Prints a line for each run and a table row at the end; fails if the runs do not
# all end alike.
set -euo pipefail
cd "$(dirname "$0")/.."
if (($# < 2)); then
  echo "usage: scripts/runs.sh BZIMAGE COUNT [harness arguments]" >&2
  exit 64
fi
kernel=$1 count=$2
shift 2
. scripts/harness.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

declare -A seen=()
for ((i = 1; i <= count; i++)); do
  status=0
  "$harness" run --kernel "$kernel" --out "$out/$i" "$@" >"$out/$i.txt" 2>/dev/null || status=$?
  findings=$(sed -n 's/^finding: //p' "$out/$i.txt" | sort -u | sed ':a;N;$!ba;s/\n/; /g')
  end="exit $status${findings:+ $findings}"
  echo "$i: $end"
  seen[$end]=$((${seen[$end]:-0} + 1))
  rm -rf "${out:?}/$i"
done
for end in "${!seen[@]}"; do
  echo "| $(basename "$kernel") | $end | ${seen[$end]} of $count |"
done
((${#seen[@]} == 1))

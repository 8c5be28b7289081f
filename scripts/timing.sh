#!/usr/bin/env bash
# Measures the time from command to verdict with warm caches, and writes
# docs/timing.md.
#   scripts/timing.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
. scripts/harness.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Warms every cache.
"$harness" run --accelerator tcg --out "$out/0" >/dev/null 2>&1
times=()
for ((i = 1; i <= runs; i++)); do
  start=$(date +%s.%N)
  "$harness" run --accelerator tcg --out "$out/$i" >"$out/verdict" 2>/dev/null
  end=$(date +%s.%N)
  [[ $(tail -n 1 "$out/verdict") == "verdict: pass" ]]
  times+=("$(echo "$end - $start" | bc)")
done
mapfile -t sorted < <(printf '%s\n' "${times[@]}" | sort -n)
release=$(sed -n 's/.*"release" : "\(.*\)".*/\1/p' "$out/1/result.json" | head -n 1)
{
  echo "# From command to verdict"
  echo
  echo "Written by \`scripts/timing.sh $runs\`: the default run of Debian's stock kernel"
  echo "under TCG; kernel, module, agent and saved guest are in the cache. Seconds."
  echo
  echo "| kernel | CPUs of the host | load at the end | runs | fastest | median | slowest |"
  echo "|---|---|---|---|---|---|---|"
  printf '| %s | %s | %s | %s | %.1f | %.1f | %.1f |\n' "$release" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$runs" "${sorted[0]}" \
    "${sorted[$((runs / 2))]}" "${sorted[-1]}"
} >docs/timing.md
cat docs/timing.md

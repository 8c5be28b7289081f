#!/usr/bin/env bash
# Measures how long a guest takes until it can be given trials, booted and
# restored in turn, and writes docs/boot-timing.md.
#   scripts/boot-timing.sh [RUNS]
# Fails where restoring is not ten times faster.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-7}
. scripts/harness.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

declare -A kernels
kernels[stock]=$("$harness" kernel fetch | tail -n 1)
kernels[debug]=$("$harness" kernel build --with kasan --with lockdep | tail -n 1)

# One run; prints the first guest's start and its seconds.
ready() {
  local folder=$1
  shift
  "$harness" run --accelerator tcg --jobs 1 --out "$folder" \
    --schedule "writeback@unlocked > swapoff@trees-freed" "$@" >/dev/null 2>&1 || true
  local start seconds
  start=$(sed -n '/"guests"/,/\]/s/.*"start" : "\(.*\)".*/\1/p' "$folder/result.json" | head -n 1)
  seconds=$(sed -n '/"guests"/,/\]/s/.*"readySeconds" : \([0-9.]*\).*/\1/p' \
    "$folder/result.json" | head -n 1)
  echo "$start ${seconds:?no guest became ready, see $folder}"
}

median() { sort -n "$1" | sed -n "$((runs / 2 + 1))p"; }
spread() { sort -n "$1" | sed -n '1p;$p' | xargs printf '%.2f to %.2f'; }

rows=()
slow=0
for name in stock debug; do
  kernel=${kernels[$name]}
  # Saves the guest, and warms every cache.
  ready "$out/$name" --kernel "$kernel" >/dev/null
  for ((i = 1; i <= runs; i++)); do
    for start in booted restored; do
      option=--snapshot
      if [[ $start == booted ]]; then option=--no-snapshot; fi
      line=$(ready "$out/$name-$start-$i" --kernel "$kernel" "$option")
      [[ $line == "$start "* ]]
      echo "${line#* }" >>"$out/$name-$start"
      echo "$name $i: $line" >&2
    done
  done
  release=$(sed -n 's/.*"release" : "\(.*\)".*/\1/p' "$out/$name/result.json" | head -n 1)
  if [[ $name == debug ]]; then release+=", KASAN and lockdep"; fi
  booted=$(median "$out/$name-booted")
  restored=$(median "$out/$name-restored")
  ratio=$(echo "scale=1; $booted / $restored" | bc)
  if (($(echo "$ratio < 10" | bc))); then slow=1; fi
  rows+=("$(printf '| %s | %.2f (%s) | %.2f (%s) | %s |' "$release" \
    "$booted" "$(spread "$out/$name-booted")" \
    "$restored" "$(spread "$out/$name-restored")" "$ratio")")
done
{
  echo "# From the start of QEMU to a guest that is ready"
  echo
  echo "Written by \`scripts/boot-timing.sh $runs\`: \`readySeconds\` of \`result.json\`, from the"
  echo "start of QEMU until the guest can be given trials, under TCG; each kernel $runs times"
  echo "booted (\`--no-snapshot\`) and $runs times restored, in turn. Median seconds (fastest to"
  echo "slowest). CPUs of the host: $(nproc); load at the end: $(cut -d' ' -f1 /proc/loadavg)."
  echo
  echo "| kernel | booted | restored | times faster |"
  echo "|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
} >docs/boot-timing.md
cat docs/boot-timing.md
exit "$slow"

#!/usr/bin/env bash
# Runs the sweep on each kernel given, and writes docs/throughput.md: how many
# trials a second, and where their time goes.
#   scripts/throughput.sh [BZIMAGE...]    (default: Debian's stock kernel, and the
#                                          patched one with KASAN and lockdep)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/harness.sh
kernels=("$@")
if ((${#kernels[@]} == 0)); then
  kernels=(
    "$("$harness" kernel fetch 2>/dev/null | tail -n 1)"
    "$("$harness" kernel build --with kasan,lockdep 2>/dev/null | tail -n 1)"
  )
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rows=() profiles=()
for number in "${!kernels[@]}"; do
  provider="ftrace"
  if "$harness" kernel config "${kernels[number]}" ZSWAP_HOOKS 2>/dev/null | grep -q '=y'; then
    provider="patch"
  fi
  status=0
  "$harness" run --kernel "${kernels[number]}" --scenario sweep --provider "$provider" --jobs 1 \
    --out "$folder/$number" >/dev/null 2>&1 || status=$?
  result=$folder/$number/result.json
  rows+=("$(python3 scripts/throughput.py rate "$result" "$provider" "$status" "$(cut -d' ' -f1 /proc/loadavg)")")
  profiles+=("$(python3 scripts/throughput.py profile "$result")")
done
{
  echo "# Trials a second"
  echo
  echo "Written by \`scripts/throughput.sh\`: \`--scenario sweep\`, one provider, one guest of two"
  echo "CPUs under TCG on a host of $(nproc), which had nothing else to do but what the load says."
  echo "A trial's time is the guest's own, from its set-up to its rest. By default the first is"
  echo "Debian's stock kernel, and the second has KASAN and lockdep."
  echo
  echo "| kernel | provider | exit | trials | a second of the guest | median ms | 90 % below ms | slowest ms | whole run s | load |"
  echo "|---|---|---|---|---|---|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
  echo
  echo "Where that time goes, of all trials together:"
  for profile in "${profiles[@]}"; do
    echo
    echo "$profile"
  done
} | tee docs/throughput.md

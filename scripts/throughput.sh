#!/usr/bin/env bash
# Runs the sweep on each kernel given, and writes docs/throughput.md: how many
# trials a second, and where their time goes.
#   scripts/throughput.sh [BZIMAGE...]    (default: Debian's stock kernel, and the
#                                          patched one with KASAN and lockdep)
set -euo pipefail
cd "$(dirname "$0")/.."
harness=${HARNESS:-$(swift build --show-bin-path)/harness}
kernels=("$@")
if ((${#kernels[@]} == 0)); then
  kernels=(
    "$("$harness" kernel fetch 2>/dev/null | tail -n 1)"
    "$("$harness" kernel build --with kasan,lockdep 2>/dev/null | tail -n 1)"
  )
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  echo "# Trials a second"
  echo
  echo "Written by \`scripts/throughput.sh\`: \`--scenario sweep\`, one provider, one guest of two"
  echo "CPUs under TCG on a host of $(nproc), which had nothing else to do but what the load says."
  echo "A trial's time is the guest's own, from its set-up to its rest."
  echo
  echo "| kernel | exit | trials | a second | median ms | 90 % below ms | slowest ms | whole run s | load |"
  echo "|---|---|---|---|---|---|---|---|---|"
  for number in "${!kernels[@]}"; do
    provider="ftrace"
    if "$harness" kernel config "${kernels[number]}" ZSWAP_HOOKS 2>/dev/null | grep -q '=y'; then
      provider="patch"
    fi
    status=0
    "$harness" run --kernel "${kernels[number]}" --scenario sweep --provider "$provider" \
      --out "$folder/$number" >/dev/null 2>&1 || status=$?
    python3 - "$folder/$number/result.json" "$status" "$(cut -d' ' -f1 /proc/loadavg)" <<'PYTHON'
import json
import sys

record = json.load(open(sys.argv[1], encoding="utf-8"))
times = sorted(t["report"]["milliseconds"] for t in record["trials"] if t.get("report"))
rate = len(times) / (sum(times) / 1000)
cells = [
    record["kernel"]["release"], sys.argv[2], len(times), f"{rate:.1f}",
    times[len(times) // 2], times[len(times) * 9 // 10], times[-1],
    f"{record['durationSeconds']:.0f}", sys.argv[3],
]
print("| " + " | ".join(map(str, cells)) + " |")
PYTHON
  done
} | tee docs/throughput.md

#!/usr/bin/env bash
# Coverage of mm/zswap.c by the default run and by each of the tools of today, on one
# kernel, as docs/coverage.md has it.
#
#   scripts/coverage.sh [SECONDS]   # what each tool is given; 120
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-120}
. scripts/harness.sh
kernel=$("$harness" kernel build --with gcov | tail -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A stress alone is never a pass: 4 is as good as 0 here.
cover() {
  local out=$folder/$1
  shift
  "$harness" --kernel "$kernel" --provider patch --seed 1 --confirm 0 --out "$out" "$@" >&2 ||
    [ $? -eq 4 ]
}

cover sweep
for tool in test_zswap reclaim stress-ng; do
  cover "$tool" --scenario "$tool" --stress-seconds "$seconds" --no-snapshot
done
"$harness" coverage "$folder"/{sweep,test_zswap,reclaim,stress-ng} \
  --names "default run,test_zswap,reclaim,stress-ng" \
  --preface "Written by \`scripts/coverage.sh $seconds\`: gcov of a kernel built with the hook \
points, boot included. The default run (provider patch) has the time that it takes; each of the \
tools of today (\`harness corpus compare --help\`) had $seconds s. Reachable is what is not \
listed under Out of reach (\`qemu/kernel/unreached.txt\`), or was reached all the same."

#!/usr/bin/env bash
# Writes docs/bisect-simulation.md: what the decisions of `harness bisect` come to where trials
# are coin tosses, beside other ways to bisect. Ten minutes on two CPUs. What bayesect comes to
# takes up to an hour, and does not change with the harness: docs/bisect-bayesect.jsonl has it.
# Asked for so many cases a cell, that file is made anew first. The one in the tree has 1000, and
# in the four dearest cells 300 or 100: bisect-bayesect.py was called once for each number.
#
#   scripts/bisect-simulation.sh [CASES] [BAYESECT_CASES]   # a cell; 2000 and none
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-2000}
others=${2:-0}
known=docs/bisect-bayesect.jsonl
if ((others == 0)) && [[ ! -e $known ]]; then
  echo "There is no $known: give a number of cases for bayesect as well." >&2
  exit 64
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
swift build -c release --product bisect-simulation >&2
simulation=$(swift build -c release --show-bin-path)/bisect-simulation
"$simulation" "$cases" "0.8,0.3,0.1,0.05" "0,0.02" "64,1024" >"$work/harness.jsonl"
if ((others > 0)); then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet git_bayesect numpy
  "$work/venv/bin/python" scripts/bisect-bayesect.py "$others" "$work/harness.jsonl" \
    >"$work/bayesect.jsonl"
  mv "$work/bayesect.jsonl" "$known"
fi
python3 scripts/bisect-table.py "$work/harness.jsonl" "$known" >"$work/page.md"
mv "$work/page.md" docs/bisect-simulation.md

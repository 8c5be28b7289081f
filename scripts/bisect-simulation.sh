#!/usr/bin/env bash
# What the decisions of `harness bisect` come to where trials are coin tosses, beside other
# ways to bisect, as docs/bisect-simulation.md has it. Hours, for all cells.
#
#   scripts/bisect-simulation.sh [CASES] [BAYESECT_CASES]   # a cell; 1000 and 100
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-1000}
others=${2:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
swift build -c release --product bisect-simulation >&2
simulation=$(swift build -c release --show-bin-path)/bisect-simulation
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet git_bayesect numpy
grid=("0.8,0.3,0.1,0.05" "0,0.02" "64,1024")
"$simulation" "$cases" "${grid[@]}" >"$work/harness.jsonl"
"$work/venv/bin/python" scripts/bisect-bayesect.py "$others" "$work/harness.jsonl" \
  >"$work/bayesect.jsonl"
python3 scripts/bisect-table.py "$work"/*.jsonl

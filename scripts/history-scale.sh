#!/usr/bin/env bash
# Measures the history at a size that it reaches in years: a night's page and each query, and
# writes docs/history-scale.md.
#   scripts/history-scale.sh [NIGHTS]    (of 30 cells with a sweep each)
# Fails where the page takes 10 seconds, or a query one.
set -euo pipefail
cd "$(dirname "$0")/.."
nights=${1:-91}
. scripts/harness.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
history=$folder/nights/history.sqlite
began=$(date +%s.%N)
night=$("$harness" history sample "$folder" --nights "$nights")
made=$(echo "$(date +%s.%N) - $began" | bc)
trials=$(python3 - "$history" <<'PYTHON'
import sqlite3
import sys

print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM trial").fetchone()[0])
PYTHON
)
slow=0
rows=()
# The slowest of three; nothing is cached between them but by the host.
measure() {
  local what=$1 limit=$2 worst=0 took
  shift 2
  for _ in 1 2 3; do
    began=$(date +%s.%N)
    "$harness" "$@" >/dev/null
    took=$(echo "$(date +%s.%N) - $began" | bc)
    if (($(echo "$took > $worst" | bc))); then worst=$took; fi
  done
  if (($(echo "$worst > $limit" | bc))); then slow=1; fi
  # shellcheck disable=SC2016
  rows+=("$(printf '| %s | `harness %s` | %.2f | %s |' "$what" \
    "$(echo "$*" | sed "s#--history $history##; s#$night#NIGHT#; s/ *\$//")" "$worst" "$limit")")
}
measure "a night's page and all its reports" 10 nightly report "$night"
measure "nights" 1 history list --history "$history"
measure "cells" 1 history cell --history "$history"
measure "a cell's runs" 1 history cell mm-unstable/sweep/large --history "$history"
measure "findings" 1 history findings --history "$history"
measure "one finding" 1 history findings --finding function_3 --history "$history"
{
  echo "# A history of $trials trials"
  echo
  echo "Written by \`scripts/history-scale.sh $nights\`: $nights nights of 30 cells, a sweep's"
  echo "trials in each, taken over run by run as nights are ($(printf '%.0f' "$made") s), debug"
  echo "build. Seconds of the whole command, the slowest of three. The file has"
  echo "$(du -m "$history" | cut -f1) MB. CPUs of the host: $(nproc); load at the end:"
  echo "$(cut -d' ' -f1 /proc/loadavg)."
  echo
  echo "| | command | seconds | limit |"
  echo "|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
} >docs/history-scale.md
cat docs/history-scale.md
exit "$slow"

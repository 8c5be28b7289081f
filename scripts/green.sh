#!/usr/bin/env bash
# Default runs of kernels that have no bug: Debian's unmodified one, and the negative controls of
# the corpus. Each has to pass. Goes on where it was interrupted, and writes docs/green.md.
#   scripts/green.sh FOLDER [RUNS [RUNS-OF-EACH-CONTROL]]
# Fails where one does not pass. A run takes one to four minutes and leaves one CPU of two idle,
# so that the controls run beside the unmodified kernel. May be called again with more.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: scripts/green.sh FOLDER [RUNS [RUNS-OF-EACH-CONTROL]]}
runs=${2:-200} of_each=${3:-10}
. scripts/harness.sh
mkdir -p "$folder"
mapfile -t controls < <(grep -l '^Expect: none' qemu/kernel/mutants/*.patch | xargs -n 1 basename -s .patch)

# repeat NAME KERNEL COUNT: a line for each run in FOLDER/NAME.
repeat() {
  local name=$1 kernel=$2 count=$3 lines=$folder/$1 run=$folder/run-$1 status
  touch "$lines"
  for ((i = $(wc -l <"$lines") + 1; i <= count; i++)); do
    status=0
    rm -rf "$run"
    "$harness" run --kernel "$kernel" --out "$run" >/dev/null 2>&1 || status=$?
    # One that was interrupted is none of the runs.
    scripts/green.py run "$run/result.json" "$status" >>"$lines" || exit 130
    echo "$name $i of $count: $(tail -n 1 "$lines")" >&2
    # Whatever did not pass is kept.
    ((status == 0)) || mv "$run" "$folder/$name-$i"
  done
}

repeat debian:6.12 debian:6.12 "$runs" &
unmodified=$!
for id in "${controls[@]}"; do
  kernel=$("$harness" kernel build --mutant "$id" | tail -n 1)
  repeat "$id" "$kernel" "$of_each"
done
wait "$unmodified"
scripts/green.py table "$folder" debian:6.12 "${controls[@]}" >docs/green.md || { cat docs/green.md && exit 1; }
cat docs/green.md

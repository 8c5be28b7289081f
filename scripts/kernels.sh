#!/usr/bin/env bash
# Runs the harness on a kernel of each kind and writes docs/kernels.md: the points that
# each has by provider, what was run, the verdict.
#   scripts/kernels.sh [-w FILE] [harness arguments]
# KERNELS="debian:6.12 kcsan" leaves the other kinds out; -w writes elsewhere.
# Needs clang-14, lld-14 and llvm-14. No kernel is a case of its own: a row is a name and how
# it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
target=docs/kernels.md
if [[ ${1:-} == -w ]]; then
  target=$2
  shift 2
fi
. scripts/harness.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

kernels=(
  "debian:6.1|"
  "debian:6.12|"
  "without hooks|--without hooks"
  "patched|"
  "kasan,lockdep|--with kasan,lockdep"
  "kcsan|--with kcsan"
  "clang,lto|--with clang,lto"
  "ubsan,kmemleak,failslab,debuginfo|--with ubsan,kmemleak,failslab,debuginfo"
)

rows=()
for row in "${kernels[@]}"; do
  name=${row%%|*} options=${row#*|}
  # A name may have a space.
  if [[ -n ${KERNELS:-} && " $KERNELS " != *" ${name// /-} "* ]]; then continue; fi
  read -r -a build <<<"$options"
  case $name in
  debian:*) kernel=$name ;;
  *) kernel=$("$harness" kernel build "${build[@]}" | tail -n 1) ;;
  esac
  folder=$out/${#rows[@]}
  status=0
  "$harness" run --kernel "$kernel" --accelerator tcg --out "$folder" "$@" \
    >/dev/null || status=$?
  load=$(cut -d' ' -f1 /proc/loadavg)
  rows+=("$(scripts/kernels.py "$name" "$folder/result.json" "$status" "$load")")
  echo "${rows[-1]}" >&2
done

{
  echo "# Kernels"
  echo
  echo "Written by \`scripts/kernels.sh${*:+ $*}\`: one run each, under TCG on a host of"
  echo "$(nproc) CPUs. The load at the end of each run says what else that had to do, and how rough"
  echo "a run's time is."
  echo
  echo "| kernel | release | points by patch | points by ftrace | trials | interleaved | excluded | verdict | exit | seconds | load |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
} >"$target"
cat "$target"

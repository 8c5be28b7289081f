#!/usr/bin/env bash
# Runs the kernel's checkpatch over kmod/ and the patch series.
#   scripts/checkpatch.sh BZIMAGE
# BZIMAGE is one that `harness kernel build` made: its source tree has the tool.
set -euo pipefail
cd "$(dirname "$0")/.."

tree=$(dirname "$1")
while [[ $tree != / && ! -e $tree/scripts/checkpatch.pl ]]; do
  tree=$(dirname "$tree")
done
if [[ $tree == / ]]; then
  echo "There is no kernel source above $1" >&2
  exit 2
fi
root=$PWD
cd "$tree"
# Findings come on standard output; on standard error it complains that its SPDX
# checker lacks a Python module, which is why that check is left out.
flags=(--strict --terse --no-summary)
exec 2>/dev/null
scripts/checkpatch.pl "${flags[@]}" --ignore SPDX_LICENSE_TAG --no-tree \
  -f "$root"/kmod/*.[ch] "$root"/kmod/uapi/*.h
# Not for upstream: nobody signs them off, and MAINTAINERS need not know. An
# unpacked source is no repository in which a commit could be looked up.
scripts/checkpatch.pl "${flags[@]}" \
  --ignore SPDX_LICENSE_TAG,MISSING_SIGN_OFF,FILE_PATH_CHANGES,COMMIT_LOG_LONG_LINE,GIT_COMMIT_ID \
  "$root"/qemu/kernel/patches/*.patch

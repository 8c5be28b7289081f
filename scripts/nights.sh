#!/usr/bin/env bash
# Three nights of real kernels, and what is to be read off them: the same plan on this
# machine, again after a bad commit has come to the branch that one kernel is built from, and
# once more as it was, on a Slurm of two nodes. Prints docs/nights.md; exit 1 where a night
# does not say what it has to. An hour; needs slurm-wlm and munge.
#   scripts/nights.sh [FOLDER]     FOLDER keeps the nights (default: a new one of /tmp)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
. scripts/harness.sh

# A branch of Debian's source with the hook points, and forty commits, one bad: its bug takes a
# schedule of the sweep that is none of the claims'.
[[ -e $folder/linux ]] ||
  python3 Tests/bisect-repository.py "$("$harness" kernel source | tail -n 1)" "$folder/linux" \
    --commits 40 --mutant qemu/kernel/mutants/R4a.patch >&2
branch_is() { git --git-dir "$folder/linux/.git" branch --force topic "$1" >&2; }

cat >"$folder/plan.yaml" <<YAML
name: three-kernels
kernels:
  - {name: stock-6.1, image: "debian:6.1"}
  - {name: stock-6.12, image: "debian:6.12"}
  - {name: patched-kasan, tree: linux, branch: topic, with: "kasan,lockdep"}
scenarios:
  - {name: claims}
  - {name: default, scenario: "sweep,swapoff-stress,cpu-stress"}
  - {name: sweep, parts: 2}
exclude:
  - {kernel: patched-kasan, scenario: sweep}
  - {kernel: stock-6.1, scenario: sweep}
machines:
  - {name: small, cpus: 2}
reruns: 2
known: known.yaml
# A task for each cell, as one node has room for two.
slurm: {block: 1s}
YAML

# night NAME [WORD…]: the exit status goes to NAME.exit.
night() {
  local name=$1 code=0
  shift
  "$harness" nightly --plan "$folder/plan.yaml" "$@" >"$folder/$name.mail" || code=$?
  echo "$code" >"$folder/$name.exit"
  echo "$name: exit $code, $(sed -n 1p "$folder/$name.mail")" >&2
}

# Debian's 6.1 shows these in every run, and oopses that follow from the last in most:
# docs/debian-6.1.md.
for title in "in zswap_writeback_entry" "another page's data came back" \
  "cpu@end passed while store@compressed was held" "in zswap_frontswap_"; do
  echo "- {finding: \"$title\", cell: stock-6.1/, reason: docs/debian-6.1.md, until: 2099-12-31}"
done >"$folder/known.yaml"

branch_is base
night sound
branch_is R4a
night broken
branch_is base

# It ends with its standard input.
mkfifo "$folder/open"
Tests/NightlyTests/Fixtures/slurm-cluster "$folder/slurm" <"$folder/open" &
cluster=$!
exec 3>"$folder/open"
until [[ -e $folder/slurm/ready ]]; do
  kill -0 "$cluster"
  sleep 0.5
done
SLURM_CONF=$folder/slurm/slurm.conf night slurm --engine slurm
exec 3>&-
wait "$cluster" || true

"$harness" history export --history "$folder/nights/history.sqlite" >"$folder/history.json"
python3 scripts/nights.py "$folder"

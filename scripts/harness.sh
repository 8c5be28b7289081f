# shellcheck shell=bash
# The harness that a script runs: $HARNESS, or else the checkout's, built if need be. To be
# sourced, at the top of the checkout.
harness=${HARNESS:-}
if [[ -z $harness ]]; then
  swift build --product harness >&2
  harness=$(swift build --show-bin-path)/harness
fi

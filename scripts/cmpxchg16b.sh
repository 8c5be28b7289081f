#!/usr/bin/env bash
# Whether QEMU's cmpxchg16b leaves flags behind that no CPU has (qemu/checks/cmpxchg16b.c), for
# which the machines in qemu/machines have the guest's kernel do without it. Prints the flags:
# 00000246 or the like on a CPU, the operand's bits where QEMU errs.
#
#   scripts/cmpxchg16b.sh [KERNEL]   # the image; Debian's
set -euo pipefail
cd "$(dirname "$0")/.."
kernel=${1:-}
if [[ -z $kernel ]]; then
  . scripts/harness.sh
  kernel=$("$harness" kernel fetch | tail -n 1)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -static -O1 -o "$work/init" qemu/checks/cmpxchg16b.c
(cd "$work" && echo init | cpio --quiet -o -H newc >initramfs.cpio)
qemu-system-x86_64 --version | head -n 1
timeout 120 qemu-system-x86_64 -accel tcg -cpu Nehalem-v1,+rdrand -m 256M -nographic -no-reboot \
  -kernel "$kernel" -initrd "$work/initramfs.cpio" \
  -append "console=ttyS0 quiet rdinit=/init" | grep -ao 'cmpxchg16b after.*'

#!/usr/bin/env bash
# Runs a command in a fresh clone of this checkout, on a fresh Debian 12 with
# nothing but Swift: what the README promises, tried.
#   scripts/fresh-debian.sh ROOT COMMAND [ARGUMENT]...
# ROOT is a folder, on a disk with 15 GB free. Where it does not exist, debootstrap
# makes it, with this machine's own package sources. Needs root; what it mounts is
# in a namespace of its own and goes with it. HOME in there is new every time, and
# so is every cache.
set -euo pipefail
cd "$(dirname "$0")/.."
if (($# < 2)) || ((EUID != 0)); then
  echo "usage (as root): scripts/fresh-debian.sh ROOT COMMAND [ARGUMENT]..." >&2
  exit 64
fi
root=$1
shift
swift=$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")")

if [[ ! -d $root ]]; then
  debootstrap --variant=minbase --include=ca-certificates,git bookworm "$root"
  cp -a /etc/apt/sources.list.d/debian*.sources "$root/etc/apt/sources.list.d/"
  : >"$root/etc/apt/sources.list"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
home=$root/root/home-$$
mkdir -p "$root$swift" "$home"
# Where packages are mirrored on this machine, git's configuration says so.
mirrors=()
while read -r key value; do
  mirror=${key#url.}
  mirror=${mirror%.insteadof}
  [[ -d $mirror ]] || continue
  mirrors+=("$mirror")
  git config --file "$home/.gitconfig" --add "$key" "$value"
done < <(git config --get-regexp '^url\..*\.insteadof$')
git clone -q . "$home/checkout"

# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child bash -c '
  set -euo pipefail
  root=$1 swift=$2 home=$3 mirrors=$4
  shift 4
  mount --make-rprivate /
  for dir in $swift $(printf "%s\n" $mirrors | sort -u); do
    mkdir -p "$root$dir"
    mount --bind "$dir" "$root$dir"
  done
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  chmod 1777 "$root/tmp"
  exec chroot "$root" /usr/bin/env -i HOME="${home#"$root"}" TERM=dumb \
    PATH="$swift/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    bash -c "cd ~/checkout && exec \"\$@\"" bash "$@"
' bash "$root" "$swift" "$home" "${mirrors[*]:-}" "$@"

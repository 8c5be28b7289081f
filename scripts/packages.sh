# shellcheck shell=bash disable=SC2034
# Sourced by run and test: installs the Debian packages that are missing.

# What a Swift toolchain, unpacked from its archive, needs on Debian 12.
swift_packages=(
  binutils gcc git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6
  libpython3.11 libsqlite3-0 libstdc++-12-dev libxml2 libz3-4 pkg-config tzdata
  zlib1g-dev
)

# What `harness` needs to build itself, its guest and its module, and to boot.
run_packages=(
  "${swift_packages[@]}"
  e2fsprogs kmod libelf1 libkmod-dev libmount-dev libsqlite3-dev make qemu-system-x86 xz-utils
)

# What the tests need beside that: a kernel build, a browser for the report, and their
# own tools.
test_packages=(
  bc bison chromium cpio flex fonts-dejavu-core libelf-dev libssl-dev munge patch python3
  python3-venv shellcheck slurm-client slurmctld slurmd strace
)

# install_missing PACKAGE...: installs those that dpkg does not know as installed.
install_missing() {
  local missing=() package
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
      grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "These packages are missing, and neither root nor sudo is at hand:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y \
    --no-install-recommends "${missing[@]}" >/dev/null
}

# The fetched kernels come from apt's lists, which a fresh machine has not got.
need_package_lists() {
  if apt-cache show linux-image-6.12-amd64 >/dev/null 2>&1; then return 0; fi
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  echo "Reading the package lists" >&2
  "${as_root[@]}" apt-get update -qq
}

#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests mproc for 32-bit x86, in a Debian of that kind which is kept in a cache, so that
# nothing of it has to be installed here. Needs root, debootstrap, and a kernel that runs it.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
system=${XDG_CACHE_HOME:-$HOME/.cache}/mproc/debian-i386
packages=gcc,g++,libc6-dev,cmake,ninja-build,pkg-config,libglib2.0-dev,check

if [ ! -e "$system/complete" ]; then
  rm -rf "$system"
  mkdir -p "$system"
  debootstrap --arch=i386 --variant=minbase --include=$packages bookworm "$system" >"$system.log" 2>&1 ||
    { tail -5 "$system.log"; exit 1; }
  touch "$system/complete"
fi

# The build stays from run to run; the sources are what they are here now.
mkdir -p "$system/mproc"
find "$system/mproc" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
tar -C "$root" --exclude=./build --exclude=./.git -cf - . | tar -C "$system/mproc" -xf -

# The mounts are seen by this command only, and gone with it. Memory with names gets a place of its
# own with less room than 32 bits can address, so that the tests can ask for more than there is.
unshare --mount sh -eu -c '
  mount --rbind /dev "$1/dev"
  mount -t tmpfs -o size=768m names "$1/dev/shm"
  mount -t proc proc "$1/proc"
  exec chroot "$1" sh -eu -c "
    cd /mproc
    cmake --preset dev -B build >configure.log 2>&1 || { cat configure.log; exit 1; }
    cmake --build build
    cd build
    ctest --output-on-failure -j 2"' sh "$system"

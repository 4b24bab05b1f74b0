#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds libglib with ThreadSanitizer: the distribution's, which it cannot see into, looks like a
# race wherever a lock or a queue of GLib's orders things.  Prints the folder; builds nothing if it
# is there.  --where only prints it.
# shellcheck disable=SC1091,SC2154
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../debian-source.sh"
prefix=$(prefix_of tsan "$0" "$here/../debian-source.sh")

[ "${1-}" = --where ] || lock_cache
if [ ! -d "$prefix" ] && [ "${1-}" != --where ]; then
  rm -rf "$prefix.part"
  mkdir -p "$prefix.part"
  echo "building GLib with ThreadSanitizer, once: about a minute" >&2
  build_glib "$prefix.part" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
  mv "$prefix.part" "$prefix"
fi
echo "$prefix"

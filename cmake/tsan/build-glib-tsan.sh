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

# A lock of GLib's that is used for the first time by two threads at once is read without the order
# that ThreadSanitizer asks for; on no processor does it matter.
order_first_use ()
{
  get_glib
  sed -i -E 's/impl = ([a-z_]+)->p;/impl = g_atomic_pointer_get (\&\1->p);/' \
    "$work/glib2.0/glib/gthread-posix.c"
}

[ "${1-}" = --where ] || lock_cache
if [ ! -d "$prefix" ] && [ "${1-}" != --where ]; then
  rm -rf "$prefix.part"
  mkdir -p "$prefix.part"
  echo "building GLib with ThreadSanitizer, once: about a minute" >&2
  order_first_use
  build_glib "$prefix.part" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
  mv "$prefix.part" "$prefix"
fi
echo "$prefix"

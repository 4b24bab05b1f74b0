#!/bin/sh
# SPDX-License-Identifier: MIT
# Parses C files as a compiler like MSVC does (_MSC_VER, no __GNUC__), with mingw-w64's headers.
# It finds statement expressions, VLAs and arithmetic on void pointers.  msvc-syntax-check.sh FILE...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=${MINGW_PREFIX:-$("$here/build-prefix.sh" --where)}
exec clang --target=x86_64-pc-windows-msvc -fgnuc-version=4.2.1 -fsyntax-only -std=c11 \
  -isystem /usr/x86_64-w64-mingw32/include -isystem "$prefix/include/glib-2.0" \
  -isystem "$prefix/lib/glib-2.0/include" -isystem "$prefix/include" \
  -include "$here/msvc-like.h" -I "$root/include" -I "$root/src" \
  -D MPROC_COMPILATION -D GLIB_DISABLE_DEPRECATION_WARNINGS \
  -Wno-pragma-pack -Werror=gnu -Werror=vla -Werror=pointer-arith "$@"

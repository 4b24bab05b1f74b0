#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds what the Windows leg links: libglib as a DLL (no gobject, no gio), PCRE2, Check, for x86_64
# with mingw-w64.  Prints the folder; builds nothing if it is there.  --where only prints it.
#
# GLib is a DLL because in a static one the destructors of GPrivate do not run in threads that
# CreateThread made.  The win32 thread flavour of mingw-w64 needs no libwinpthread-1.dll.
# shellcheck disable=SC1091,SC2154
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../debian-source.sh"

toolchain=$here/mingw-toolchain.cmake
prefix=$(prefix_of mingw "$0" "$here/../debian-source.sh" "$toolchain" "$here"/libintl.*)
target=x86_64-w64-mingw32
cc=$target-gcc-win32
export MINGW_PREFIX="$prefix.part"

# Messages stay untranslated.
build_intl ()
{
  mkdir -p "$MINGW_PREFIX/include" "$MINGW_PREFIX/lib" "$work/intl"
  cp "$here/libintl.h" "$MINGW_PREFIX/include/"
  $cc -O2 -I "$here" -c "$here/libintl.c" -o "$work/intl/libintl.o"
  $target-ar rcs "$MINGW_PREFIX/lib/libintl.a" "$work/intl/libintl.o"
}

# cmake_build NAME OPTION...
cmake_build ()
{
  name=$1
  shift
  get_source "$name"
  rm -rf "$work/$name-build"
  logged "$name" cmake -S "$work/$name" -B "$work/$name-build" -G Ninja \
    -D CMAKE_TOOLCHAIN_FILE="$toolchain" -D MINGW_PREFIX="$MINGW_PREFIX" \
    -D CMAKE_BUILD_TYPE=Release -D CMAKE_INSTALL_PREFIX="$MINGW_PREFIX" "$@"
  logged "$name" ninja -C "$work/$name-build" -j "$JOBS" install
}

build_pcre2 ()
{
  cmake_build pcre2 -D BUILD_SHARED_LIBS=OFF -D PCRE2_BUILD_PCRE2GREP=OFF -D PCRE2_BUILD_TESTS=OFF
  # shellcheck disable=SC2016
  sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|' "$MINGW_PREFIX"/lib/pkgconfig/libpcre2-*.pc
}

write_cross_file ()
{
  cat >"$work/mingw.ini" <<END
[binaries]
c = '$cc'
ar = '$target-ar'
strip = '$target-strip'
windres = '$target-windres'
pkgconfig = 'pkg-config'
[properties]
needs_exe_wrapper = true
have_c99_vsnprintf = false
have_c99_snprintf = false
have_unix98_printf = false
have_strlcpy = false
have_proc_self_cmdline = false
growing_stack = false
[built-in options]
pkg_config_path = ''
c_args = ['-I$MINGW_PREFIX/include', '-DNVALGRIND=1']
c_link_args = ['-L$MINGW_PREFIX/lib', '-static-libgcc']
[host_machine]
system = 'windows'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
END
}

build_windows_glib ()
{
  write_cross_file
  (
    export PKG_CONFIG_LIBDIR="$MINGW_PREFIX/lib/pkgconfig" PKG_CONFIG_PATH=
    build_glib "$MINGW_PREFIX" --cross-file "$work/mingw.ini" --buildtype=release
  )
  $target-strip "$MINGW_PREFIX"/bin/*.dll
}

# Check's own .pc names a library and a flag that are not right here: it is written anew.  Its
# mutex comes from winpthreads, which is put into the archive so that nobody needs it beside.
build_check ()
{
  cmake_build check -D CMAKE_C_FLAGS=-D__USE_MINGW_ANSI_STDIO=1 -D BUILD_TESTING=OFF \
    -D CHECK_ENABLE_SUBUNIT=OFF -D ENABLE_MEMORY_LEAKING_TESTS=OFF
  (
    cd "$MINGW_PREFIX"
    rm -rf bin/libcheck.dll bin/checkmk lib/libcheck.dll.a lib/cmake/check
    # Its messages use %jd, which only the C99 printf knows.
    sed -i -E 's/(__format__ *\(|format\(|CK_ATTRIBUTE_FORMAT\()printf/\1gnu_printf/' include/check.h
    printf '%s\n' "create $work/libcheck.a" "addlib lib/libcheck.a" \
      "addlib $($cc -print-file-name=libwinpthread.a)" save end | $target-ar -M
    mv "$work/libcheck.a" lib/libcheck.a
    $target-strip --strip-debug lib/libcheck.a
    # shellcheck disable=SC2016
    printf '%s\n' 'prefix=${pcfiledir}/../..' 'Name: Check' 'Description: Unit tests for C' \
      'Version: 0.15.2' 'Libs: -L${prefix}/lib -lcheck' 'Cflags: -I${prefix}/include' \
      >lib/pkgconfig/check.pc
  )
}

[ "${1-}" = --where ] || lock_cache
if [ ! -d "$prefix" ] && [ "${1-}" != --where ]; then
  rm -rf "$MINGW_PREFIX"
  mkdir -p "$MINGW_PREFIX"
  echo "building GLib and Check for Windows, once: about two minutes" >&2
  build_intl
  build_pcre2
  build_windows_glib
  build_check
  mv "$MINGW_PREFIX" "$prefix"
fi
echo "$prefix"

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the scripts that build GLib for Windows and for ThreadSanitizer: where built things
# are kept, and how Debian's source packages are got.

: "${JOBS:=$(nproc 2>/dev/null || echo 2)}"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mproc
work=$cache/work

# prefix_of NAME FILE...: the folder for what these scripts build, named by their hash.
prefix_of ()
{
  name=$1
  shift
  echo "$cache/$name-$(cat "$@" | sha256sum | cut -c 1-12)"
}

# lock_cache: one build at a time.
lock_cache ()
{
  mkdir -p "$work"
  exec 9>"$cache/lock"
  flock 9
}

# logged NAME COMMAND...: runs it silently; shows the end of its log if it fails.
logged ()
{
  log=$work/$1.log
  shift
  "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "failed: $*, see $log" >&2; exit 1; }
}

# APT with deb-src lines and lists of our own: the system's configuration is not touched.  Only the
# distribution's main archive is taken, mirrors may lack the older sources of the others.
apt_source ()
{
  apt-get -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
    -o APT::Sandbox::User=root "$@"
}

update_sources ()
{
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  keyring=/usr/share/keyrings/$(sed -n 's/^ID=//p' /etc/os-release)-archive-keyring.gpg
  trust=
  test ! -f "$keyring" || trust="[signed-by=$keyring] "
  apt-get indextargets 'Created-By: Packages' \
    --format "deb-src $trust\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" |
    grep " $suite main\$" | sort -u >"$work/apt/sources.list"
  test -s "$work/apt/sources.list" || { echo "no package source for $suite" >&2; exit 1; }
  logged apt apt_source -q update
}

# get_source NAME: unpacks the source package, with the distribution's patches, to $work/NAME.
get_source ()
{
  test ! -d "$work/$1" || return 0
  test -s "$work/apt/sources.list" || update_sources
  rm -rf "$work/unpack"
  mkdir -p "$work/unpack"
  (cd "$work/unpack" && logged "$1-source" apt_source -q source "$1")
  mv "$work/unpack/$1"-*/ "$work/$1"
}

# get_glib: GLib's source, cut down to libglib.
get_glib ()
{
  get_source glib2.0
  grep -q 'mproc: libglib only' "$work/glib2.0/meson.build" || sed -i -E \
    -e '1i # mproc: libglib only' \
    -e "/^subdir\('(gobject|gthread|gmodule|gio|fuzzing|tools)'\)/d" \
    -e "/^(subproject\('gvdb'\)|gvdb_dep =|libffi_dep =|libz_dep =)/d" \
    "$work/glib2.0/meson.build"
}

# build_glib PREFIX MESON-OPTION...
build_glib ()
{
  glib_prefix=$1
  shift
  get_glib
  rm -rf "$work/glib-build"
  logged glib meson setup "$work/glib-build" "$work/glib2.0" --prefix="$glib_prefix" --libdir=lib \
    --default-library=shared --wrap-mode=nodownload -Dpkgconfig.relocatable=true \
    -Dtests=false -Dinstalled_tests=false -Dnls=disabled -Dlibelf=disabled -Dselinux=disabled \
    -Dlibmount=disabled -Dxattr=false -Dman=false -Dgtk_doc=false -Dglib_debug=disabled "$@"
  logged glib ninja -C "$work/glib-build" -j "$JOBS"
  logged glib meson install -C "$work/glib-build" --no-rebuild
}

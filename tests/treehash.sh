#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares treehash with the tools it imitates, byte for byte.
#   treehash.sh FOLDER plain|odd TREEHASH...
# FOLDER is a large one; odd: also with names that not every system has.
set -eu
big=$1
names=$2
shift 2

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tree=$tmp/tree
mkdir "$tree"

# compare FOLDER TREEHASH...
compare ()
{
  folder=$1
  shift
  find "$folder" -type f -exec sha256sum {} + | LC_ALL=C sort -k2 >"$tmp/expected"
  "$@" "$folder" >"$tmp/actual"
  cmp "$tmp/expected" "$tmp/actual"
  echo "$folder: $(wc -l <"$tmp/actual") lines alike"
}

# fill NAME...
fill ()
{
  for name; do
    printf '%s' "$name" >"$tree/$name"
  done
}

mkdir -p "$tree/a b" "$tree/empty folder"
fill plain 'a b/c' 'ümlaut' UPPER lower -n
: >"$tree/empty"
head -c 3000000 /dev/zero >"$tree/large"

# Line ends, a backslash, bytes that are not UTF-8, an option, things that are no files.
if [ "$names" = odd ]; then
  newline='
'
  mkdir "$tree/--help"
  fill "line${newline}end" 'back\slash' '--help/-n' '*' '%s' ' ' 'tab	' \
    "$(printf 'bytes \377\376')" "$(printf 'return \r.')"
  ln -s plain "$tree/link to a file"
  ln -s . "$tree/link to a folder"
  mkfifo "$tree/fifo"
fi

compare "$tree" "$@"
(cd "$tree" && compare . "$@")
compare "$tree/" "$@"
compare "$tree/plain" "$@"
compare "$tree/empty folder" "$@"
compare "$big" "$@"

# As sha256sum: what cannot be read is reported, the rest is done, the status is 1.
if "$@" "$tmp/not there" >"$tmp/actual" 2>"$tmp/errors"; then
  echo "a missing folder is no error" >&2
  exit 1
fi
grep -q 'not there: No such file' "$tmp/errors"
test ! -s "$tmp/actual"

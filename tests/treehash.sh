#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares treehash with the tools it imitates, byte for byte.  treehash.sh TREEHASH DIR
set -eu
treehash=$1
big=$2

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

compare ()
{
  find "$1" -type f -exec sha256sum {} + | LC_ALL=C sort -k2 >"$tmp/expected"
  "$treehash" "$1" >"$tmp/actual"
  cmp "$tmp/expected" "$tmp/actual"
  echo "$1: $(wc -l <"$tmp/actual") lines alike"
}

# Names that need care: blanks, a line end, a backslash, bytes that are not UTF-8, a dash.
tree=$tmp/tree
mkdir -p "$tree/a b" "$tree/empty directory" "$tree/-n"
newline='
'
for name in plain 'a b/c' "line${newline}end" 'back\slash' '-n/--help' \
    "$(printf 'bytes \377\376')" "$(printf 'return \r.')" 'ümlaut' '*' '%s'; do
  printf '%s' "$name" >"$tree/$name"
done
: >"$tree/empty"
head -c 3000000 /dev/zero >"$tree/large"
ln -s plain "$tree/link to a file"
ln -s . "$tree/link to a directory"
mkfifo "$tree/fifo"

compare "$tree"
(cd "$tree" && compare .)
compare "$big/src"
compare "$big/include"

# As sha256sum: what cannot be read is reported, the rest is done, the status is 1.
if "$treehash" "$tmp/not there" >"$tmp/actual" 2>"$tmp/errors"; then
  echo "a missing directory is no error" >&2
  exit 1
fi
test -s "$tmp/errors"

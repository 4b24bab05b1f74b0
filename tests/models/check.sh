#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the models in this folder with spin.  check.sh BUILD-FOLDER [MODEL...]
#
# The models take every step as it stands in the source, and memory as sequentially consistent:
# that the barriers make it so where it matters is no part of them.
#
# A model lists its runs in its first comment, a line each:
#
#   run: NAME KIND VERDICT OPTION...
#
#   KIND     safe  assertions, and nobody sleeps for ever ("invalid end state")
#            live  the model's ltl formula, under weak fairness
#   VERDICT  holds, or what spin has to find: assertion, deadlock, cycle
#   OPTION   -D... for the model
#
# A deliberate fault (FAULT_...) that is not found fails, as does an assertion that no run with
# the verdict "holds" ever comes to, and a search that did not see everything.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
[ $# -gt 0 ] || set -- $(cd "$here" && ls -- *.pml)

rm -rf "$build"
mkdir -p "$build"
build=$(cd "$build" && pwd)

# Two at a time, in 2 GiB together.
memory=900 # MiB
depth=200000
seconds=600

# compile MODEL KIND OPTION...: pan in this folder.  No partial order reduction where a death may
# come before each step, also those that a process does for itself alone.  Not optimised: that
# takes longer than the search.
compile ()
{
  model=$1
  kind=$2
  shift 2
  [ "$kind" = safe ] || set -- "$@" -DLIVE
  spin "$@" -a "$model" >spin.log 2>&1 || return 1
  case $kind in
    safe) flags='-DSAFETY' ;;
    live) flags='-DNFAIR=3' ;;
    *) echo "no such kind of run: $kind" >>spin.log; return 1 ;;
  esac
  case "$*" in *-DDEATHS*) flags="$flags -DNOREDUCE" ;; esac
  # shellcheck disable=SC2086
  cc -w -O0 $flags -DMEMLIM=$memory -DCOLLAPSE -o pan pan.c >>spin.log 2>&1
}

# search OPTION...: into pan.log.
search ()
{
  status=0
  timeout $seconds ./pan -m$depth -w22 "$@" >pan.log 2>&1 || status=$?
  [ $status != 124 ] || echo 'out of time' >>pan.log
}

# verdict: what pan.log says.
verdict ()
{
  if grep -q 'max search depth too small' pan.log; then echo too-deep
  elif grep -q -i 'out of memory\|reached -DMEMLIM\|VECTORSZ' pan.log; then echo too-large
  elif grep -q '^out of time' pan.log; then echo too-long
  elif grep -q 'Search not completed' pan.log && grep -q 'errors: 0' pan.log; then echo incomplete
  elif grep -q 'errors: 0$' pan.log; then echo holds
  elif grep -q '^pan:.*assertion violated' pan.log; then echo assertion
  elif grep -q '^pan:.*invalid end state' pan.log; then echo deadlock
  elif grep -q '^pan:.*acceptance cycle' pan.log; then echo cycle
  else echo nonsense; fi
}

# note_assertions: those that this run has (by line) to ./have, those that it came to to ./met.
note_assertions ()
{
  sed -n 's/.*STATE \([0-9]*\) - [^:]*:\([0-9]*\) - \[assert(.*/\2 \1/p' pan.m | sort -u >all
  sed -n 's/.*:\([0-9]*\), state \([0-9]*\), "assert(.*/\1 \2/p' pan.log | sort -u >unreached
  cut -d' ' -f1 all | sort -u >have
  comm -23 all unreached | cut -d' ' -f1 | sort -u >met
}

# one MODEL NAME KIND VERDICT OPTION...
one ()
{
  folder=$build/${1%.pml}-$2
  model=$here/$1
  name="${1%.pml} $2"
  kind=$3
  expected=$4
  shift 4
  mkdir "$folder" 2>/dev/null || return 0 # the other worker has it
  cd "$folder"
  found=no-compilation
  states=0
  start=$(date +%s)
  if compile "$model" "$kind" "$@"; then
    case $kind in
      safe) search ;;
      live) search -a -f ;;
    esac
    found=$(verdict)
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log | head -n 1)
    if [ "$found" = holds ] && [ "$kind" = safe ]; then note_assertions; fi
  fi
  word=ok
  remark="$(($(date +%s) - start)) s"
  if [ "$found" != "$expected" ]; then
    word=FAILED
    remark="expected: $expected; see $folder"
    : >"$build/failed"
  fi
  printf '%-6s %-28s %9s states  %-9s %s\n' "$word" "$name" "${states:-0}" "$found" "$remark"
  : >done
}

# runs MODEL: its runs, a line each.
runs ()
{
  sed -n "s/^[ *]*run: */$1 /p" "$here/$1"
}

worker ()
{
  while read -r line; do
    # shellcheck disable=SC2086
    (one $line)
  done <"$build/runs"
}

for model; do runs "$model"; done >"$build/runs"
worker &
first=$!
worker
wait $first

if [ "$(find "$build" -name done | wc -l)" != "$(wc -l <"$build/runs")" ]; then
  echo "FAILED: not every run was made (two of a name?)"
  : >"$build/failed"
fi
# An assertion that is never come to says nothing.
for model; do
  folder=$build/${model%.pml}
  cat "$folder"-*/have 2>/dev/null | sort -u >"$folder.have"
  cat "$folder"-*/met 2>/dev/null | sort -u >"$folder.met"
  for line in $(comm -23 "$folder.have" "$folder.met"); do
    echo "FAILED $model:$line: no run comes to this assertion"
    : >"$build/failed"
  done
  if ! grep -q "^$model " "$build/runs"; then
    echo "FAILED $model: it has no runs"
    : >"$build/failed"
  fi
done
[ ! -e "$build/failed" ]

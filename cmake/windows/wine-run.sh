#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a Windows program under Wine, without a display.  wine-run.sh DLL-FOLDER PROGRAM ARGUMENT...
# WINEPREFIX is made when it is missing.  wine-run.sh --start and --stop: its server alone.
set -eu
: "${WINEPREFIX:=${XDG_CACHE_HOME:-$HOME/.cache}/mproc/wine}"
: "${WINEDEBUG:=-all,err+module}"
export WINEPREFIX WINEDEBUG
unset DISPLAY

# wine64 alone, without the launchers of the wine package, is not on PATH.
PATH=$PATH:/usr/lib/wine
server=wineserver64
command -v $server >/dev/null || server=wineserver
command -v wine64 >/dev/null || { echo "wine64 is not installed" >&2; exit 127; }

make_prefix ()
{
  test ! -f "$WINEPREFIX/ready" || return 0
  $server -p 9>&- || : # before all else, or it ends with its last client
  wine64 wineboot --init 9>&-
  wine64 reg add 'HKCU\Software\Wine' /v Version /d win10 /f 9>&-
  # With winedbg as the debugger one crash in six ended with exit status 0 (Wine 8.0).
  wine64 reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' \
    /v Debugger /d false /f 9>&-
  : >"$WINEPREFIX/ready"
}

# A server that lasts, so that not each program waits for its start.  What starts now must not hold
# the caller's pipes open: ctest would wait for their end.  So no program starts before all of it has: it
# would start services of its own, which hold its pipes.
start_server ()
{
  if $server -p 9>&-; then
    wine64 wineboot 9>&-
  fi
}

if [ "$1" = --stop ]; then
  $server -k || :
  exit 0
fi
mkdir -p "$WINEPREFIX"
(flock 9 && make_prefix && start_server) 9>"$WINEPREFIX/lock" </dev/null >/dev/null 2>&1

[ "$1" != --start ] || exit 0

WINEPATH=Z:$1
export WINEPATH
shift
exec wine64 "$@"

# SPDX-License-Identifier: MIT
# Runs one example and compares what it prints.
#   cmake -D PROGRAM=... -D EMULATOR=... -D EXPECTED=... [-D ATTEMPTS=...] -P examples.cmake
cmake_minimum_required (VERSION 3.16)

if (NOT ATTEMPTS)
  set (ATTEMPTS 1)
endif ()
file (READ ${EXPECTED} expected)

foreach (attempt RANGE 1 ${ATTEMPTS})
  execute_process (COMMAND ${EMULATOR} ${PROGRAM} OUTPUT_VARIABLE output RESULT_VARIABLE status)
  string (REPLACE "\r\n" "\n" output "${output}")
  if (NOT status EQUAL 0)
    message (FATAL_ERROR "it ended with ${status}, after\n${output}")
  endif ()
  if (output STREQUAL expected)
    return ()
  endif ()
endforeach ()
message (FATAL_ERROR "it printed\n${output}\ninstead of\n${expected}")

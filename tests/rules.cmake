# SPDX-License-Identifier: MIT
# The rules of CONTRIBUTING.md that a search can check.  cmake -D ROOT=... -P rules.cmake
cmake_minimum_required (VERSION 3.16)

set (longest 700)
set (platform_names "_WIN32|_WIN64|__CYGWIN__|__MINGW|__linux|__APPLE__|__unix|__FreeBSD__|__OpenBSD__|__NetBSD__|G_OS_|G_PLATFORM_|G_WITH_CYGWIN")

# What portable code may include: C11 without signal.h and threads.h, GLib, Check, and ourselves.
set (c11 "assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|tgmath|time|uchar|wchar|wctype")
set (portable_headers "<((${c11})\\.h|glib\\.h|glib/gstdio\\.h|glib/gprintf\\.h|check\\.h|mproc\\.h|mproc/[a-z-]+\\.h)>")

function (complain file what)
  message ("${file}: ${what}")
  set_property (GLOBAL APPEND PROPERTY breaches ${file})
endfunction ()

# refuse (FILE PATTERN WHAT): complains of the first line that matches.
function (refuse file pattern what)
  file (STRINGS ${ROOT}/${file} hits REGEX "${pattern}")
  if (hits)
    list (GET hits 0 hit)
    string (STRIP "${hit}" hit)
    complain (${file} "${what}: ${hit}")
  endif ()
endfunction ()

file (GLOB_RECURSE files RELATIVE ${ROOT}
  ${ROOT}/include/*.h ${ROOT}/src/*.[ch] ${ROOT}/tests/*.[ch] ${ROOT}/examples/*.[ch]
  ${ROOT}/bench/*.[ch] ${ROOT}/tools/*.[ch])
list (LENGTH files count)

foreach (file IN LISTS files)
  file (READ ${ROOT}/${file} text)
  if (NOT text MATCHES "^/\\* SPDX-License-Identifier: MIT \\*/\n")
    complain (${file} "the first line is not /* SPDX-License-Identifier: MIT */")
  endif ()
  string (REGEX REPLACE "[^\n]" "" text "${text}")
  string (LENGTH "${text}" lines)
  if (lines GREATER longest)
    complain (${file} "${lines} lines, ${longest} are the limit")
  endif ()

  # What lies beside the folders would not be built.
  if (file MATCHES "^tests/[^/]*$" OR (file MATCHES "^tests/.*/test-[^/]*$" AND
      NOT file MATCHES "^tests/[a-z]+/test-[^/]*\\.c$"))
    complain (${file} "a suite has its place in tests/<folder of src>/, what suites share in tests/kit/")
  endif ()

  # Only the code behind the door, and its like in tests and bench, knows the system; examples
  # are programs, which may have to do with it.
  if (NOT file MATCHES "^(src|tests|bench)/(posix|win32)/|^examples/")
    if (NOT file STREQUAL "include/mproc/macros.h") # declspec and visibility
      refuse (${file} "^[ \t]*#.*(${platform_names})" "asks for the platform")
    endif ()
    file (STRINGS ${ROOT}/${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*<")
    foreach (line IN LISTS includes)
      if (NOT line MATCHES "${portable_headers}")
        complain (${file} "not a portable header: ${line}")
      endif ()
    endforeach ()
  endif ()

  # The library has to be readable for MSVC, also where nothing compiles it so.
  if (file MATCHES "^(src|include)/")
    refuse (${file} "g_auto(ptr|free|list|slist|queue)? *\\(|g_autofree" "needs a compiler's cleanup attribute")
    refuse (${file} "(^|[^a-zA-Z0-9_\"])\\(\\{([^\"]|$)|__typeof|[^_a-z]typeof *\\(" "a GNU extension")
    if (NOT file MATCHES "^src/(posix|win32)/|^include/mproc/macros.h$")
      refuse (${file} "__attribute__|__builtin_|__sync_|__atomic_" "a GNU extension")
    endif ()
  endif ()
endforeach ()

# Each floor of src knows only those under it; the rooms of one floor know each other. The first floor
# is the door, in src itself.
set (floors "os posix win32" arena family values sync "queue shared pipe" process
  "worker result map insight pool")
# What the lower ones have to ask: whether this process may go on at all, and who is alive.
set (upward "src/family/family.c process/guard.h" "src/arena/parking.c family/family.h")

set (floor 0)
foreach (rooms IN LISTS floors)
  string (REPLACE " " ";" rooms "${rooms}")
  foreach (room IN LISTS rooms)
    set (floor_of_${room} ${floor})
  endforeach ()
  math (EXPR floor "${floor} + 1")
endforeach ()

foreach (file IN LISTS files)
  if (NOT file MATCHES "^src/")
    continue ()
  endif ()
  set (room os)
  if (file MATCHES "^src/([a-z0-9]+)/")
    set (room ${CMAKE_MATCH_1})
  endif ()
  if (NOT DEFINED floor_of_${room})
    complain (${file} "the room ${room} is on no floor")
    continue ()
  endif ()
  file (STRINGS ${ROOT}/${file} includes REGEX "^#include \"[a-z0-9]+/")
  foreach (line IN LISTS includes)
    string (REGEX REPLACE "^#include \"(([a-z0-9]+)/[^\"]*)\"" "\\1;\\2" line "${line}")
    list (GET line 0 header)
    list (GET line 1 other)
    if (floor_of_${other} GREATER floor_of_${room} AND NOT "${file} ${header}" IN_LIST upward)
      complain (${file} "knows a floor above its own: ${header}")
    endif ()
  endforeach ()
endforeach ()

# A model and the code it is of name each other.
file (GLOB models RELATIVE ${ROOT} ${ROOT}/tests/models/*.pml)
set (sources ${files})
list (FILTER sources INCLUDE REGEX "^src/")
foreach (model IN LISTS models)
  set (is_named FALSE)
  foreach (file IN LISTS sources)
    file (READ ${ROOT}/${file} text)
    string (FIND "${text}" "Model: ${model}" place)
    if (NOT place EQUAL -1)
      set (is_named TRUE)
    endif ()
  endforeach ()
  if (NOT is_named)
    complain (${model} "no file in src says \"Model: ${model}\"")
  endif ()

  file (READ ${ROOT}/${model} text)
  string (REGEX MATCHALL "src/[a-z0-9/_-]+\\.[ch]" named "${text}")
  if (NOT named)
    complain (${model} "names no file of src")
  endif ()
  foreach (file IN LISTS named)
    if (NOT EXISTS ${ROOT}/${file})
      complain (${model} "names ${file}, which is not there")
    endif ()
  endforeach ()
endforeach ()

get_property (breaches GLOBAL PROPERTY breaches)
list (LENGTH breaches failures)
if (count EQUAL 0)
  message (FATAL_ERROR "no source file found below ${ROOT}")
elseif (failures)
  message (FATAL_ERROR "${failures} breaches of the rules")
endif ()
message (STATUS "${count} files keep the rules")

# SPDX-License-Identifier: MIT
# x86_64 Windows with mingw-w64; tests run under Wine.  MINGW_PREFIX, as variable or in the
# environment, is the folder that build-prefix.sh made; by default where that script puts it.
set (CMAKE_SYSTEM_NAME Windows)
set (CMAKE_SYSTEM_PROCESSOR x86_64)
set (_target x86_64-w64-mingw32)
find_program (MINGW_CC NAMES ${_target}-gcc-win32 ${_target}-gcc REQUIRED)
set (CMAKE_C_COMPILER ${MINGW_CC})
find_program (MINGW_CXX NAMES ${_target}-g++-win32 ${_target}-g++)
if (MINGW_CXX)
  set (CMAKE_CXX_COMPILER ${MINGW_CXX})
else () # the one that lies about would be the host's
  set (CMAKE_CXX_COMPILER CMAKE_CXX_COMPILER-NOTFOUND)
endif ()
set (CMAKE_RC_COMPILER ${_target}-windres)

# No libgcc_s_seh-1.dll, which would have to be found at run time.
set (CMAKE_EXE_LINKER_FLAGS_INIT -static-libgcc)
set (CMAKE_SHARED_LINKER_FLAGS_INIT -static-libgcc)
set (CMAKE_MODULE_LINKER_FLAGS_INIT -static-libgcc)

if (NOT MINGW_PREFIX AND DEFINED ENV{MINGW_PREFIX})
  set (MINGW_PREFIX "$ENV{MINGW_PREFIX}")
endif ()
if (NOT MINGW_PREFIX)
  execute_process (COMMAND ${CMAKE_CURRENT_LIST_DIR}/build-prefix.sh --where
    OUTPUT_VARIABLE MINGW_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
endif ()
if (NOT IS_DIRECTORY "${MINGW_PREFIX}")
  message (FATAL_ERROR "no ${MINGW_PREFIX}: run ${CMAKE_CURRENT_LIST_DIR}/build-prefix.sh first")
endif ()
set (CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MINGW_PREFIX)

list (APPEND CMAKE_FIND_ROOT_PATH ${MINGW_PREFIX} /usr/${_target})
list (APPEND CMAKE_PREFIX_PATH ${MINGW_PREFIX})
set (CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set (CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set (CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set (CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config sees the .pc files of the target and no others.
set (ENV{PKG_CONFIG_LIBDIR} "${MINGW_PREFIX}/lib/pkgconfig")
set (ENV{PKG_CONFIG_PATH} "")
set (ENV{PKG_CONFIG_SYSROOT_DIR} "")

set (CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/wine-run.sh ${MINGW_PREFIX}/bin)

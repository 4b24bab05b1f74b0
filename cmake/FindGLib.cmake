# SPDX-License-Identifier: MIT
# Finds GLib's core library and defines GLib::GLib. Asks pkg-config, then searches.
if (NOT TARGET GLib::GLib)
  find_package (PkgConfig QUIET)
  if (PkgConfig_FOUND)
    pkg_check_modules (PC_GLIB QUIET IMPORTED_TARGET GLOBAL glib-2.0)
  endif ()
  if (PC_GLIB_FOUND)
    set (GLib_LIBRARY PkgConfig::PC_GLIB)
    set (GLib_VERSION ${PC_GLIB_VERSION})
    add_library (GLib::GLib INTERFACE IMPORTED GLOBAL)
    set_property (TARGET GLib::GLib PROPERTY INTERFACE_LINK_LIBRARIES PkgConfig::PC_GLIB)
  else ()
    find_library (GLib_LIBRARY NAMES glib-2.0)
    find_path (GLib_INCLUDE_DIR glib.h PATH_SUFFIXES glib-2.0)
    get_filename_component (_glib_libdir "${GLib_LIBRARY}" DIRECTORY)
    find_path (GLib_CONFIG_INCLUDE_DIR glibconfig.h
      HINTS "${_glib_libdir}/glib-2.0/include" "${_glib_libdir}/../lib/glib-2.0/include"
      PATH_SUFFIXES glib-2.0/include)
    mark_as_advanced (GLib_LIBRARY GLib_INCLUDE_DIR GLib_CONFIG_INCLUDE_DIR)
    if (GLib_LIBRARY AND GLib_INCLUDE_DIR AND GLib_CONFIG_INCLUDE_DIR)
      set (GLib_VERSION "")
      foreach (_part MAJOR MINOR MICRO)
        file (STRINGS "${GLib_CONFIG_INCLUDE_DIR}/glibconfig.h" _line
          REGEX "^#define GLIB_${_part}_VERSION ")
        string (REGEX REPLACE "[^0-9]" "" _line "${_line}")
        list (APPEND GLib_VERSION ${_line})
      endforeach ()
      string (REPLACE ";" "." GLib_VERSION "${GLib_VERSION}")
      add_library (GLib::GLib INTERFACE IMPORTED GLOBAL)
      set_target_properties (GLib::GLib PROPERTIES
        INTERFACE_LINK_LIBRARIES "${GLib_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${GLib_INCLUDE_DIR};${GLib_CONFIG_INCLUDE_DIR}")
    endif ()
  endif ()
  # Two projects of one build may ask for it, each in a scope of its own.
  set (GLib_VERSION "${GLib_VERSION}" CACHE INTERNAL "")
endif ()

include (FindPackageHandleStandardArgs)
set (_glib_found "")
if (TARGET GLib::GLib)
  set (_glib_found GLib::GLib)
endif ()
find_package_handle_standard_args (GLib
  REQUIRED_VARS _glib_found
  VERSION_VAR GLib_VERSION)

# SPDX-License-Identifier: MIT
include (CMakePackageConfigHelpers)

set (config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mproc)

install (TARGETS mproc EXPORT mproc-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install (DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")

configure_package_config_file (cmake/mproc-config.cmake.in mproc-config.cmake
  INSTALL_DESTINATION ${config_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file (mproc-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install (EXPORT mproc-targets NAMESPACE mproc:: DESTINATION ${config_dir})
install (FILES
    ${CMAKE_CURRENT_BINARY_DIR}/mproc-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/mproc-config-version.cmake
    cmake/FindGLib.cmake
  DESTINATION ${config_dir})

# The .pc file finds its prefix from where it lies, so that the tree can be moved.
if (IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set (pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set (pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set (pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else ()
  file (RELATIVE_PATH pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string (REGEX REPLACE "/$" "" pc_up "${pc_up}")
  set (pc_prefix "\${pcfiledir}/${pc_up}")
  set (pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set (pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif ()
set (pc_libs_private "${CMAKE_THREAD_LIBS_INIT}")
foreach (library IN LISTS system_libraries)
  string (APPEND pc_libs_private " -l${library}")
endforeach ()
string (STRIP "${pc_libs_private}" pc_libs_private)
if (BUILD_SHARED_LIBS)
  set (pc_libs "")
  set (pc_cflags "")
else ()
  # There is only the static library: whoever links it needs all it needs.
  set (pc_libs " ${pc_libs_private}")
  set (pc_cflags " -DMPROC_STATIC")
endif ()
configure_file (cmake/mproc.pc.in mproc.pc @ONLY)
install (FILES ${CMAKE_CURRENT_BINARY_DIR}/mproc.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

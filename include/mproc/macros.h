/* SPDX-License-Identifier: MIT */
#ifndef MPROC_MACROS_H
#define MPROC_MACROS_H

#if !defined(MPROC_INSIDE) && !defined(MPROC_COMPILATION)
#error "Only <mproc.h> can be included directly."
#endif

#include <glib.h>

#if defined(MPROC_STATIC)
#define MPROC_API
#elif defined(_WIN32) && defined(MPROC_COMPILATION)
#define MPROC_API __declspec(dllexport)
#elif defined(_WIN32)
#define MPROC_API __declspec(dllimport)
#elif defined(__GNUC__)
#define MPROC_API __attribute__ ((visibility ("default")))
#else
#define MPROC_API
#endif

#endif

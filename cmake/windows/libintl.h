/* SPDX-License-Identifier: MIT */
/* What GLib needs of libintl: every message is returned untranslated. */
#ifndef MPROC_LIBINTL_H
#define MPROC_LIBINTL_H

#include <locale.h>

#ifndef LC_MESSAGES
#define LC_MESSAGES 1729 /* as GNU libintl has it */
#endif

#define MPROC_FORMAT(n) __attribute__ ((__format_arg__ (n)))

char *gettext (const char *text) MPROC_FORMAT (1);
char *dgettext (const char *domain, const char *text) MPROC_FORMAT (2);
char *dcgettext (const char *domain, const char *text, int category) MPROC_FORMAT (2);
char *ngettext (const char *one, const char *many, unsigned long n) MPROC_FORMAT (1) MPROC_FORMAT (2);
char *dngettext (const char *domain, const char *one, const char *many, unsigned long n)
    MPROC_FORMAT (2) MPROC_FORMAT (3);
char *dcngettext (const char *domain, const char *one, const char *many, unsigned long n, int category)
    MPROC_FORMAT (2) MPROC_FORMAT (3);
char *textdomain (const char *domain);
char *bindtextdomain (const char *domain, const char *directory);
char *bind_textdomain_codeset (const char *domain, const char *codeset);

#endif

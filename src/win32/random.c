/* SPDX-License-Identifier: MIT */
#include "win32.h"

#include <bcrypt.h>

void
mproc_os_random (gpointer buffer, gsize size)
{
  guint8 *next = buffer;

  while (size > 0)
    {
      ULONG n = (ULONG) MIN (size, 1 << 20);
      LONG status = BCryptGenRandom (NULL, next, n, BCRYPT_USE_SYSTEM_PREFERRED_RNG);

      if (status < 0)
        g_error ("BCryptGenRandom: status 0x%lx", (gulong) status);
      next += n;
      size -= n;
    }
}

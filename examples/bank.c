/* SPDX-License-Identifier: MIT */
/* A bank account that two processes change, one paying in, one drawing out.  Reading the balance and
 * writing it back are two steps: the lock makes them one. */
#include <mproc.h>
#include <stdio.h>

#define N_TRANSFERS 10000

static GVariant *
transfer (GVariant *args, GError **error)
{
  MprocValue *account;
  gint64 *balance;
  gint64 amount;
  MprocLock *lock;

  if (!mproc_unpack (args, error, "(&h&hx)", &account, &lock, &amount))
    return NULL;
  balance = mproc_value_get_data (account);
  for (guint i = 0; i < N_TRANSFERS; i++)
    {
      /* The balance changes in one step: it is whole, whoever died in here. */
      if (mproc_lock_acquire (lock, MPROC_FOREVER) == MPROC_LOCK_STATUS_RECOVERED)
        g_warning ("the other one died at its transfer, which may be missing");
      *balance += amount;
      mproc_lock_release (lock, NULL);
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  const gint64 amounts[] = { 1, -1 };
  MprocProcess *processes[G_N_ELEMENTS (amounts)];
  GError *error = NULL;
  MprocValue *account;
  MprocLock *lock;
  GVariant *balance;

  mproc_init (&argc, &argv);
  lock = mproc_lock_new (&error);
  account = mproc_value_new ("x", g_variant_new_int64 (100), NULL, &error);
  if (lock == NULL || account == NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < G_N_ELEMENTS (amounts); i++)
    {
      processes[i] =
          mproc_process_new (transfer, mproc_pack ("(hhx)", account, lock, amounts[i]));
      if (!mproc_process_start (processes[i], &error))
        g_error ("%s", error->message);
    }
  for (guint i = 0; i < G_N_ELEMENTS (amounts); i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  balance = mproc_value_get (account);
  printf ("the balance is %d\n", (int) g_variant_get_int64 (balance));
  g_variant_unref (balance);
  mproc_value_unref (account);
  mproc_lock_unref (lock);
  return 0;
}

/* SPDX-License-Identifier: MIT */
/* Peers that are programs: each gets its arguments, the scale, and "pin" or "free", and prints
 * one number. */
#include "bench.h"

#include <string.h>

/* What @command with @what, split at its spaces, prints; consumes @command, an array of
 * strings. */
static double
run (GPtrArray *command, const char *what)
{
  char **words = g_strsplit (what, " ", -1);
  char *share = g_strdup_printf ("%g", bench_scale);
  char *output = NULL;
  gint status = 0;
  GError *error = NULL;
  double value;

  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add (command, g_strdup (*word));
  g_ptr_array_add (command, share);
  g_ptr_array_add (command, g_strdup (bench_is_pinned ? "pin" : "free"));
  g_ptr_array_add (command, NULL);
  if (!g_spawn_sync (NULL, (char **) command->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                     &output, NULL, &status, &error) ||
      status != 0)
    bench_fail (what, error);
  value = strncmp (output, "no-mpi4py", 9) == 0 ? BENCH_NO_MPI4PY
                                                : g_ascii_strtod (output, NULL);
  if (value <= 0 && value != BENCH_NO_MPI4PY)
    bench_fail (what, NULL);
  g_free (output);
  g_strfreev (words);
  g_ptr_array_unref (command);
  return value;
}

/* The program followed by the arguments, copied. */
static GPtrArray *
command_new (char *program, const char *const *arguments)
{
  GPtrArray *command = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (command, program);
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (command, g_strdup (*arguments));
  return command;
}

double
bench_python (const char *what)
{
  static const char *const options[] = { "-B", NULL };
  char *python = g_find_program_in_path ("python3");
  GPtrArray *command;
  char **words;

  if (python == NULL)
    return BENCH_NO_PYTHON;
  command = command_new (python, options);
  words = g_strsplit (what, " ", 2);
  g_ptr_array_add (command, g_build_filename (BENCH_PEERS, words[0], NULL));
  g_strfreev (words);
  return run (command, strchr (what, ' ') + 1);
}

double
bench_boost (const char *what)
{
  static const char *const options[] = { NULL };

  if (!g_file_test (BENCH_BOOST, G_FILE_TEST_IS_EXECUTABLE))
    return BENCH_NO_BOOST;
  return run (command_new (g_strdup (BENCH_BOOST), options), what);
}

double
bench_openmpi (const char *what)
{
  static const char *const apart[] = { "--bind-to", "cpulist:ordered", "--cpu-list",
                                       "0,1", NULL };
  static const char *const anywhere[] = { "--bind-to", "none", NULL };
  static const char *const together[] = { "--bind-to",           "none", "--mca",
                                          "mpi_yield_when_idle", "1",    NULL };
  static const char *const common[] = {
    "--allow-run-as-root", "--oversubscribe", "-n", "2", BENCH_OPENMPI, NULL
  };
  const char *const *binding = bench_is_pinned                ? apart
                               : bench_is_on_one_processor () ? together
                                                              : anywhere;
  char *mpirun = g_find_program_in_path ("mpirun");
  GPtrArray *command;

  if (mpirun == NULL || !g_file_test (BENCH_OPENMPI, G_FILE_TEST_IS_EXECUTABLE))
    {
      g_free (mpirun);
      return BENCH_NO_OPENMPI;
    }
  command = command_new (mpirun, binding);
  for (guint i = 0; common[i] != NULL; i++)
    g_ptr_array_add (command, g_strdup (common[i]));
  return run (command, what);
}

/* SPDX-License-Identifier: MIT */
/* openmpi-queue SIZE SCALE pin|free: messages from one process to another by MPI_Send and
 * MPI_Recv: millions a second; gigabytes a second from 64 KiB on.  mpirun pins. */
#include "mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At most: a second at this rate. */
#define NORMAL_MESSAGES 500000.0
#define NORMAL_BYTES 1e9

static int size;
static char *message;

/* Seconds for @n messages and an answer to the last. */
static double
transfer (int rank, long n)
{
  char answer = 0;
  double begin;

  MPI_Barrier (MPI_COMM_WORLD);
  begin = MPI_Wtime ();
  for (long i = 0; i < n; i++)
    if (rank == 0)
      {
        memcpy (message, &i, sizeof i);
        MPI_Send (message, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
      }
    else
      MPI_Recv (message, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (rank == 0)
    MPI_Recv (&answer, 1, MPI_BYTE, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else
    MPI_Send (&answer, 1, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
  return MPI_Wtime () - begin;
}

/* As many as are usual, or as can be done in half a second: on one processor, each message
 * may cost a turn of the scheduler. */
static long
choose (int rank, double scale)
{
  double usual = NORMAL_BYTES / size;
  long n;
  double each;

  if (usual > NORMAL_MESSAGES)
    usual = NORMAL_MESSAGES;
  each = transfer (rank, 20) / 20;
  n = (long) ((usual * each > 0.5 ? 0.5 / each : usual) * scale);
  if (n < 1)
    n = 1;
  MPI_Bcast (&n, 1, MPI_LONG, 0, MPI_COMM_WORLD);
  return n;
}

int
main (int argc, char **argv)
{
  int rank;
  long n;
  double seconds;

  MPI_Init (&argc, &argv);
  if (argc < 3)
    MPI_Abort (MPI_COMM_WORLD, 2);
  size = atoi (argv[1]);
  message = calloc (1, (size_t) size + sizeof (long));
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);
  n = choose (rank, atof (argv[2]));
  seconds = transfer (rank, n);
  if (rank == 0)
    printf ("%g\n", (double) n * (size >= 1 << 16 ? size / 1e9 : 1e-6) / seconds);
  MPI_Finalize ();
  free (message);
  return 0;
}

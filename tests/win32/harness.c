/* SPDX-License-Identifier: MIT */
/* What the test program needs of Windows. */
#include "mproc-test.h"

#include <windows.h>
#include <tlhelp32.h>
#include <winternl.h>
#include <stdio.h>
#include <string.h>

gboolean
mproc_test_can_fork (void)
{
  return FALSE;
}

gboolean
mproc_test_is_slow_platform (void)
{
  return GetProcAddress (GetModuleHandleW (L"ntdll.dll"), "wine_get_version") != NULL;
}

/* ------------------------------------------------------------------ census */

typedef LONG (WINAPI *QueryObject) (HANDLE, int, void *, ULONG, ULONG *);

/* The kind of object behind a handle (transfer full). */
static char *
name_type (HANDLE handle)
{
  const int type_information = 2;
  union
  {
    UNICODE_STRING name;
    char room[1024];
  } type;
  FARPROC function = GetProcAddress (GetModuleHandleW (L"ntdll.dll"), "NtQueryObject");
  QueryObject query;

  memcpy (&query, &function, sizeof query);
  if (query (handle, type_information, &type, sizeof type, NULL) != 0)
    return g_strdup ("?");
  return g_utf16_to_utf8 (type.name.Buffer, type.name.Length / 2, NULL, NULL, NULL);
}

/* Tries every number until all are found; Wine does not tell how many there are. */
static void
add_handles (GPtrArray *things)
{
  DWORD count = 0;
  DWORD flags;

  GetProcessHandleCount (GetCurrentProcess (), &count);
  if (count == 0)
    count = G_MAXUINT32;
  for (guintptr value = 4; value < 4 * 4096 && count > 0; value += 4)
    if (GetHandleInformation ((HANDLE) value, &flags))
      {
        char *type = name_type ((HANDLE) value);

        g_ptr_array_add (things, g_strdup_printf ("handle %u %s", (guint) value, type));
        g_free (type);
        count--;
      }
}

static void
add_threads (GPtrArray *things, HANDLE snapshot)
{
  THREADENTRY32 entry = { .dwSize = sizeof entry };

  for (BOOL more = Thread32First (snapshot, &entry); more;
       more = Thread32Next (snapshot, &entry))
    if (entry.th32OwnerProcessID == GetCurrentProcessId ())
      g_ptr_array_add (things, g_strdup_printf ("thread %lu", entry.th32ThreadID));
}

static void
add_processes (GPtrArray *things, HANDLE snapshot)
{
  PROCESSENTRY32W entry = { .dwSize = sizeof entry };

  for (BOOL more = Process32FirstW (snapshot, &entry); more;
       more = Process32NextW (snapshot, &entry))
    if (entry.th32ParentProcessID == GetCurrentProcessId ())
      g_ptr_array_add (things, g_strdup_printf ("process %lu", entry.th32ProcessID));
}

/* Pipes are the only names we make in the system. */
static void
add_pipes (GPtrArray *things)
{
  WIN32_FIND_DATAW found;
  HANDLE search = FindFirstFileW (L"\\\\.\\pipe\\*", &found);

  if (search == INVALID_HANDLE_VALUE)
    return;
  do
    if (wcsstr (found.cFileName, L"mproc") != NULL)
      {
        char *name = g_utf16_to_utf8 (found.cFileName, -1, NULL, NULL, NULL);

        g_ptr_array_add (things, g_strconcat ("pipe ", name, NULL));
        g_free (name);
      }
  while (FindNextFileW (search, &found));
  FindClose (search);
}

GPtrArray *
mproc_test_census (void)
{
  GPtrArray *things = g_ptr_array_new_with_free_func (g_free);
  HANDLE snapshot;

  add_handles (things); /* before there is one more */
  snapshot = CreateToolhelp32Snapshot (TH32CS_SNAPPROCESS | TH32CS_SNAPTHREAD, 0);
  add_threads (things, snapshot);
  add_processes (things, snapshot);
  CloseHandle (snapshot);
  add_pipes (things);
  return things;
}

/* ------------------------------------------------------------------ limits */

static const char *volatile limit_text;
static volatile LONG64 limit_time; /* of GetTickCount64; 0: none */

static gboolean
time_is_up (void)
{
  LONG64 limit = InterlockedCompareExchange64 (&limit_time, 0, 0);

  return limit != 0 && (LONG64) GetTickCount64 () > limit;
}

static DWORD WINAPI
watch (void *unused)
{
  (void) unused;
  while (!time_is_up ())
    Sleep (250);
  fprintf (stderr, "\ntime is up: %s\n", limit_text);
  fflush (stderr);
  TerminateProcess (GetCurrentProcess (), 3);
  return 3;
}

/* The job's handle is never closed, so the system closes it, and with it what we
 * started. */
void
mproc_test_contain (void)
{
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
  HANDLE job = CreateJobObjectW (NULL, NULL);

  memset (&limits, 0, sizeof limits);
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject (job, JobObjectExtendedLimitInformation, &limits,
                           sizeof limits);
  AssignProcessToJobObject (job, GetCurrentProcess ());
  SetErrorMode (SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  CloseHandle (CreateThread (NULL, 0, watch, NULL, 0, NULL));
}

void
mproc_test_limit (guint seconds, const char *text)
{
  LONG64 limit = seconds == 0 ? 0 : (LONG64) GetTickCount64 () + seconds * 1000LL;

  limit_text = text != NULL ? text : "";
  InterlockedExchange64 (&limit_time, limit);
}

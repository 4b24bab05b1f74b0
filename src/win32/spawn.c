/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* A child gets a handle under its number in the parent if that handle is inheritable
 * and in the list given to CreateProcessW.  All of ours are made not inheritable, and
 * become so for the length of that call only, one call at a time.  Inheritable from the
 * start they would go to every program that the host starts without such a list, by
 * system () say, which would keep the family's memory and its channels open.  A host
 * thread that does this within the same instant still gets them: Windows has no way
 * around that. */

typedef struct
{
  wchar_t *program;
  wchar_t *command;
  wchar_t *environment;
  HANDLE standard[3]; /* inheritable copies, NULL where there is none */
  GArray *handles;    /* all that the child inherits */
  GArray *lent;       /* those of them that are inheritable for now */
  STARTUPINFOEXW startup;
  gboolean refuses_interrupt;
} Start;

static GMutex starting;

static wchar_t *
copy_string (const wchar_t *text)
{
  gsize size = wcslen (text) + 1;
  wchar_t *copy = g_new (wchar_t, size);

  memcpy (copy, text, size * sizeof *copy);
  return copy;
}

static void
append_string (GArray *block, const wchar_t *text)
{
  g_array_append_vals (block, text, (guint) wcslen (text) + 1);
}

/* Our environment, with one variable set.  NULL: see GetLastError (). */
static wchar_t *
environment_with (const char *name, const char *value)
{
  char *text = g_strconcat (name, "=", value, NULL);
  wchar_t *variable = mproc_win32_wide (text);
  wchar_t *ours = GetEnvironmentStringsW ();
  GArray *block = g_array_new (FALSE, FALSE, sizeof (wchar_t));
  gsize prefix;

  g_free (text);
  if (variable != NULL && ours != NULL)
    {
      prefix = (gsize) (wcschr (variable, L'=') - variable) + 1;
      for (const wchar_t *next = ours; *next != 0; next += wcslen (next) + 1)
        if (_wcsnicmp (next, variable, prefix) != 0)
          append_string (block, next);
      append_string (block, variable);
      append_string (block, L"");
    }
  if (ours != NULL)
    FreeEnvironmentStringsW (ours);
  g_free (variable);
  return (wchar_t *) g_array_free (block, block->len == 0);
}

static void
open_standard_handles (HANDLE standard[3])
{
  SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
  HANDLE self = GetCurrentProcess ();
  HANDLE null = CreateFileW (L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                             &inheritable, OPEN_EXISTING, 0, NULL);
  HANDLE ours[3] = { null, GetStdHandle (STD_OUTPUT_HANDLE),
                     GetStdHandle (STD_ERROR_HANDLE) };

  standard[0] = null == INVALID_HANDLE_VALUE ? NULL : null;
  for (guint i = 1; i < 3; i++)
    if (ours[i] == NULL || ours[i] == INVALID_HANDLE_VALUE ||
        !DuplicateHandle (self, ours[i], self, &standard[i], 0, TRUE,
                          DUPLICATE_SAME_ACCESS))
      standard[i] = NULL; /* a program without a console may well have none */
}

/* The system refuses a list that names a handle twice. */
static void
add_handle (GArray *list, HANDLE handle)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, HANDLE, i) == handle)
      return;
  g_array_append_val (list, handle);
}

static void
list_handles (Start *self, const MprocOsSpawn *how)
{
  for (guint i = 0; i < 3; i++)
    if (self->standard[i] != NULL)
      add_handle (self->handles, self->standard[i]);
  for (guint i = 0; i < how->n_handles; i++)
    if (how->handles[i] != MPROC_OS_NONE)
      add_handle (self->handles, mproc_win32_handle (how->handles[i]));
}

/* Returns 0 or the error code, as the functions below do. */
static DWORD
prepare (Start *self, const MprocOsSpawn *how)
{
  STARTUPINFOW *info = &self->startup.StartupInfo;

  memset (self, 0, sizeof *self);
  self->handles = g_array_new (FALSE, FALSE, sizeof (HANDLE));
  self->lent = g_array_new (FALSE, FALSE, sizeof (HANDLE));
  self->refuses_interrupt = how->refuses_interrupt;

  self->program = how->executable != NULL ? mproc_win32_wide (how->executable)
                                          : mproc_win32_module_path (NULL);
  if (self->program == NULL)
    return GetLastError ();
  self->environment = environment_with (how->mark_name, how->mark);
  if (self->environment == NULL)
    return GetLastError ();
  self->command = copy_string (GetCommandLineW ());

  open_standard_handles (self->standard);
  list_handles (self, how);
  info->cb = sizeof self->startup;
  info->dwFlags = STARTF_USESTDHANDLES;
  info->hStdInput = self->standard[0];
  info->hStdOutput = self->standard[1];
  info->hStdError = self->standard[2];
  return 0;
}

static void
clear (Start *self)
{
  for (guint i = 0; i < 3; i++)
    if (self->standard[i] != NULL)
      CloseHandle (self->standard[i]);
  g_array_free (self->handles, TRUE);
  g_array_free (self->lent, TRUE);
  g_free (self->program);
  g_free (self->command);
  g_free (self->environment);
}

static DWORD
lend_handles (Start *self)
{
  for (guint i = 0; i < self->handles->len; i++)
    {
      HANDLE handle = g_array_index (self->handles, HANDLE, i);
      DWORD flags;

      if (!GetHandleInformation (handle, &flags))
        return GetLastError ();
      if ((flags & HANDLE_FLAG_INHERIT) != 0)
        continue;
      if (!SetHandleInformation (handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        return GetLastError ();
      g_array_append_val (self->lent, handle);
    }
  return 0;
}

static void
take_handles_back (Start *self)
{
  for (guint i = 0; i < self->lent->len; i++)
    SetHandleInformation (g_array_index (self->lent, HANDLE, i), HANDLE_FLAG_INHERIT, 0);
}

/* The job whose processes the system ends when the last handle of it is closed.  There
 * is one handle, ours, and it is closed when we end in whatever way.  What they start
 * themselves is not in it: that is theirs to end. */
static DWORD
open_job (HANDLE *out)
{
  static HANDLE job;
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;

  if (job == NULL)
    {
      HANDLE fresh = CreateJobObjectW (NULL, NULL);

      if (fresh == NULL)
        return GetLastError ();
      memset (&limits, 0, sizeof limits);
      limits.BasicLimitInformation.LimitFlags =
          JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
      if (!SetInformationJobObject (fresh, JobObjectExtendedLimitInformation, &limits,
                                    sizeof limits))
        {
          DWORD code = GetLastError ();

          CloseHandle (fresh);
          return code;
        }
      job = fresh;
    }
  *out = job;
  return 0;
}

/* How often a start is tried that failed within the system itself. */
#define ATTEMPTS 3

static DWORD
try_to_create (Start *self, DWORD flags, PROCESS_INFORMATION *info)
{
  return CreateProcessW (self->program, self->command, NULL, NULL, TRUE, flags,
                         self->environment, NULL, &self->startup.StartupInfo, info)
             ? 0
             : GetLastError ();
}

/* A process that the system itself could not set up (seen once in thousands of starts under Wine, on
 * a busy machine) is gone without having run anything of the program. */
static DWORD
create_process (Start *self, PROCESS_INFORMATION *info)
{
  DWORD code = ERROR_INTERNAL_ERROR;
  DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;
  DWORD one;

  /* The first of a group of its own is born with Ctrl-C switched off. */
  if (self->refuses_interrupt)
    flags |= CREATE_NEW_PROCESS_GROUP;

  /* Where we have no console, a console program would open one, with a window.  As we
   * live without, so does the child. */
  if (GetConsoleProcessList (&one, 1) == 0)
    flags |= DETACHED_PROCESS;
  for (guint i = 0; i < ATTEMPTS && code == ERROR_INTERNAL_ERROR; i++)
    code = try_to_create (self, flags, info);
  return code;
}

/* In the job from its first instant: no time is left in which its starter could die. */
static DWORD
create_with_attributes (Start *self, gboolean in_job, PROCESS_INFORMATION *info)
{
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  HANDLE job = NULL;
  SIZE_T size = 0;
  DWORD code = in_job ? open_job (&job) : 0;

  if (code != 0)
    return code;

  InitializeProcThreadAttributeList (NULL, 2, 0, &size);
  list = g_malloc (size);
  if (!InitializeProcThreadAttributeList (list, 2, 0, &size))
    {
      code = GetLastError ();
      g_free (list);
      return code;
    }

  self->startup.lpAttributeList = list;
  if (!UpdateProcThreadAttribute (list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                  self->handles->data,
                                  self->handles->len * sizeof (HANDLE), NULL, NULL) ||
      (in_job && !UpdateProcThreadAttribute (list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST,
                                             &job, sizeof job, NULL, NULL)))
    code = GetLastError ();
  else
    code = create_process (self, info);

  DeleteProcThreadAttributeList (list);
  g_free (list);
  return code;
}

gboolean
mproc_os_spawn (const MprocOsSpawn *how, MprocOsChild *child, GError **error)
{
  PROCESS_INFORMATION info;
  Start start;
  DWORD code = prepare (&start, how);

  if (code == 0)
    {
      g_mutex_lock (&starting);
      code = lend_handles (&start);
      if (code == 0)
        code = create_with_attributes (&start, how->die_with_parent, &info);
      take_handles_back (&start);
      g_mutex_unlock (&starting);
    }
  clear (&start);
  if (code != 0)
    return mproc_win32_fail (error, "start of a process", code);

  CloseHandle (info.hThread);
  child->pid = info.dwProcessId;
  child->handle = (gintptr) info.hProcess;
  child->ended = FALSE;
  child->is_adopted = FALSE;
  child->exit_code = 0;
  return TRUE;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than any caller passes; bounds the child's stack. */
#define MAX_DESCRIPTORS 16

/* Sources are moved here first, above every target. */
#define PARKING 512

/* Only async-signal-safe calls from here on: other threads held locks. */
static int become(const char *path, char *const argv[], char *const envp[],
		  const struct clinux_descriptor *descriptors, size_t count, pid_t parent)
{
	int parked[MAX_DESCRIPTORS];
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return errno;
	/* The parent may have died before the line above. */
	if (getppid() != parent)
		_exit(127);
	if (setsid() < 0)
		return errno;

	/* A target may be the number of a source that is yet to be copied. */
	for (size_t i = 0; i < count; i++) {
		parked[i] = fcntl(descriptors[i].source, F_DUPFD_CLOEXEC, PARKING);
		if (parked[i] < 0)
			return errno;
	}
	/* The error pipe has to stay open until exec: mark, do not close. */
	if (close_range(0, ~0U, CLOSE_RANGE_CLOEXEC))
		return errno;
	for (size_t i = 0; i < count; i++)
		if (dup2(parked[i], descriptors[i].target) < 0)
			return errno;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL))
		return errno;

	execve(path, argv, envp);
	return errno;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

pid_t clinux_spawn_tethered(const char *path, char *const argv[], char *const envp[],
			    const struct clinux_descriptor *descriptors, size_t count)
{
	sigset_t all, before;
	int report[2], failure = 0;
	pid_t parent = getpid(), pid;
	ssize_t length;

	if (count > MAX_DESCRIPTORS)
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		if (descriptors[i].target < 0 || descriptors[i].target >= PARKING)
			return -EBADF;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	/* dup2() to a target must not hit the error pipe. */
	int raised = fcntl(report[1], F_DUPFD_CLOEXEC, PARKING);
	if (raised < 0) {
		failure = errno;
		close(report[0]);
		close(report[1]);
		return -failure;
	}
	close(report[1]);

	/* No handler of ours may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		failure = become(path, argv, envp, descriptors, count, parent);
		while (write(raised, &failure, sizeof(failure)) < 0 && errno == EINTR)
			;
		_exit(127);
	}
	if (pid < 0)
		failure = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(raised);

	if (pid > 0) {
		do
			length = read(report[0], &failure, sizeof(failure));
		while (length < 0 && errno == EINTR);
		if (length != sizeof(failure))
			failure = 0;
		else
			reap(pid);
	}
	close(report[0]);
	return failure ? -failure : pid;
}

int clinux_wait_exited(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		if (errno != EINTR)
			return -errno;
	return 0;
}

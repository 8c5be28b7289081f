/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Here because it has to run between fork() and exec(), where Swift cannot:
 * see clinux.h for the rule.
 */
#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

/* A descriptor of the caller, and its number in the new program. */
struct clinux_descriptor {
	int source;
	int target;
};

/*
 * Starts a program that is killed when the calling *thread* ends: the kernel
 * ties PR_SET_PDEATHSIG to the thread that forked, not to its process. A
 * thread that waits for the child and then ends is therefore the right caller;
 * when the whole process is killed, so is that thread, and with it the child.
 *
 * The program gets the listed descriptors and no others, a session of its own
 * (so that Ctrl-C in the terminal reaches the caller alone), and default
 * signal handlers with nothing blocked.
 *
 * Returns the child's pid, or a negative errno. A failed exec is such an
 * errno too; the child has then been reaped.
 */
pid_t clinux_spawn_tethered(const char *path, char *const argv[], char *const envp[],
			    const struct clinux_descriptor *descriptors, size_t count);

/*
 * Waits until a child can be reaped, without reaping it: its pid stays valid
 * for kill() until the caller reaps it. Returns 0 or a negative errno. Here
 * because the Glibc module has no usable waitid().
 */
int clinux_wait_exited(pid_t pid);

#endif /* CLINUX_SPAWN_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest agent needs of Linux; for the rules see clinux.h. */
#ifndef CLINUX_GUEST_H
#define CLINUX_GUEST_H

#include <sys/types.h>

/*
 * The file that marks our own initramfs. Without it, nothing is mounted before
 * main(), PID 1 or not.
 */
#define CLINUX_INITRAMFS_MARK "/.zswap-harness"

/* fork() is marked unavailable in Swift; a single-threaded program may. */
pid_t clinux_fork(void);

/* 0 or errno. Not in the Glibc module. */
int clinux_swapon(const char *path);
int clinux_swapoff(const char *path);

/*
 * Lets the caller run on one CPU only, or on any again. One that is offline is
 * refused, and changes nothing. Not in the Glibc module.
 */
void clinux_run_on_cpu(int cpu);
void clinux_run_on_any_cpu(void);

/*
 * MADV_PAGEOUT on pages of another process: 0 or a negative errno. Here because
 * the Glibc module has neither pidfd_open() nor process_madvise().
 */
int clinux_page_out(pid_t pid, unsigned long address, long length);

/* Does not return but on failure. */
int clinux_power_off(void);

#endif /* CLINUX_GUEST_H */

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clinux_guest.h"

/*
 * As PID 1 without /proc, Swift finds no arguments and no /proc/self/exe, and
 * its runtime looks for both before main(). Mounts nothing anywhere else: not
 * in another process, not where /proc is there, not on another file system.
 */
__attribute__((constructor)) static void clinux_mount_proc(void)
{
	if (getpid() == 1 && access(CLINUX_INITRAMFS_MARK, F_OK) == 0 &&
	    access("/proc/self", F_OK) != 0)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		      NULL);
}

pid_t clinux_fork(void)
{
	return fork();
}

int clinux_swapon(const char *path)
{
	return swapon(path, 0) ? errno : 0;
}

int clinux_swapoff(const char *path)
{
	return swapoff(path) ? errno : 0;
}

void clinux_run_on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

void clinux_run_on_any_cpu(void)
{
	cpu_set_t cpus;

	memset(&cpus, 0xff, sizeof(cpus));
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

int clinux_power_off(void)
{
	sync();
	return reboot(RB_POWER_OFF) ? errno : 0;
}

int clinux_page_out(pid_t pid, unsigned long address, long length)
{
	struct iovec range = { .iov_base = (void *)address, .iov_len = (size_t)length };
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	long done;

	if (fd < 0)
		return -errno;
	done = syscall(SYS_process_madvise, fd, &range, 1, MADV_PAGEOUT, 0);
	if (done < 0)
		done = -errno;
	close(fd);
	return done == length ? 0 : done < 0 ? (int)done : -EIO;
}

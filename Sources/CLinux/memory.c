// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux_memory.h"

#include <errno.h>
#include <sys/mman.h>

int clinux_memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

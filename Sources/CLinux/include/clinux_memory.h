/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

/*
 * A file in memory, empty and closed on exec: a descriptor, or a negative errno.
 * Here because the Glibc module lacks memfd_create().
 */
int clinux_memory_file(const char *name);

#endif /* CLINUX_MEMORY_H */

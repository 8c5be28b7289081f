/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is here for one of two reasons: Swift and its Glibc module lack it, or
 * the code has to run between fork() and exec(), where Swift cannot.
 */
#ifndef CLINUX_H
#define CLINUX_H

/* Named here, so that an incremental build notices when one is added. */
#include "clinux_guest.h"
#include "clinux_memory.h"
#include "clinux_spawn.h"
#include "clinux_tsc.h"

#endif /* CLINUX_H */

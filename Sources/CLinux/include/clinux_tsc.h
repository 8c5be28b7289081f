/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_TSC_H
#define CLINUX_TSC_H

#include <stdint.h>

/* The time stamp counter. Here because Swift has no intrinsic for it. */
uint64_t clinux_read_tsc(void);

#endif /* CLINUX_TSC_H */

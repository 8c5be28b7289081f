// SPDX-License-Identifier: Apache-2.0
#include "clinux_tsc.h"

#include <x86intrin.h>

uint64_t clinux_read_tsc(void)
{
	return __rdtsc();
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names that the headers of some kernels lack. Each is probed by the macro that
 * it is, never by a version: stable kernels take such changes over.
 */
#ifndef _ZSWAP_HOOKS_COMPAT_H
#define _ZSWAP_HOOKS_COMPAT_H

#include <linux/ftrace.h>

/* 6.2 renamed what live patching uses, and added the arguments. */
#ifndef ftrace_regs_set_instruction_pointer
#define ftrace_regs_set_instruction_pointer(fregs, ip) \
	ftrace_instruction_pointer_set(fregs, ip)
#endif
#ifndef ftrace_regs_get_argument
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
#endif

#endif /* _ZSWAP_HOOKS_COMPAT_H */

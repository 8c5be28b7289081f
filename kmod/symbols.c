// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of kernel symbols that are not exported. kallsyms_lookup_name()
 * is not exported either (since 5.7), but kprobes resolve it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>

#include "zswap_hooks.h"

static unsigned long (*zh_kallsyms_lookup_name)(const char *name);

int __init zh_symbols_init(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int ret = register_kprobe(&probe);

	if (ret) {
		pr_err("cannot resolve kallsyms_lookup_name: %d\n", ret);
		return ret;
	}
	zh_kallsyms_lookup_name = (void *)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

/**
 * zh_symbol - the address of a kernel symbol
 * @name: as in kallsyms, without a suffix of the compiler's
 *
 * Return: the address, or NULL. A function that the compiler has cloned
 * (".isra", ".constprop") is not found by its plain name, which is right: its
 * arguments are no longer those of its source.
 *
 * A kprobe's address may be behind the ENDBR, where no CFI check finds the
 * function's type.
 */
void *__nocfi zh_symbol(const char *name)
{
	return (void *)zh_kallsyms_lookup_name(name);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The designs of zswap: which kernel has which, and what there is not in it.
 *
 * What their functions are called with is in provider_ftrace.c: struct
 * zh_signatures.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/seq_file.h>

#include "zswap_hooks.h"

/**
 * struct zh_design_info - one design
 * @symbols: what the kernels that have it define, and no other does
 * @why_absent: of points that no function stands for, why
 */
struct zh_design_info {
	const char *symbols[2];
	const char *why_absent[ZH_NR_HOOKS];
};

static const struct zh_design_info zh_designs[] = {
	/* 5.19 to 6.4: behind frontswap, and the pool evicts its oldest page. */
	[ZH_DESIGN_POOL_LRU] = {
		.symbols = { "zswap_frontswap_store", "zpool_evictable" },
		.why_absent = {
			[ZH_WRITEBACK_ISOLATED] =
				"the LRU is the zpool's, which isolates a page of several entries",
			[ZH_WRITEBACK_CLAIMED] =
				"writeback leaves the entry in the tree until the page is submitted",
			[ZH_WRITEBACK_DECOMPRESSED] =
				"writeback decompresses inline",
			[ZH_LOAD_ERASED] =
				"a load leaves the entry in the tree",
			[ZH_STORE_PUBLISHED] =
				"a store calls no function after it has put the entry into the tree",
		},
	},
	/* 6.10 and later: an LRU for each memcg, which zswap walks. */
	[ZH_DESIGN_MEMCG_LRU] = {
		.symbols = { "zswap_list_lru", "shrink_memcg_cb" },
	},
};

enum zh_design zh_design;

static bool zh_design_is(const struct zh_design_info *info)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(info->symbols); i++)
		if (!zh_symbol(info->symbols[i]))
			return false;
	return true;
}

/**
 * zh_design_init - find out how this kernel's zswap is made
 *
 * Return: 0, or -EOPNOTSUPP for a design that this module does not know.
 */
int __init zh_design_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_designs); i++) {
		if (zh_design_is(&zh_designs[i])) {
			zh_design = i;
			return 0;
		}
	}
	pr_err("zswap is made in none of the ways that are known here:\n");
	for (i = 0; i < ARRAY_SIZE(zh_designs); i++)
		pr_err("not found: %s and %s\n", zh_designs[i].symbols[0],
		       zh_designs[i].symbols[1]);
	return -EOPNOTSUPP;
}

/**
 * zh_design_show - the "design" file
 * @m: where to
 *
 * A kernel that frees request and buffer with a CPU has a function for that: up to
 * 6.12 and some later ones.
 */
void zh_design_show(struct seq_file *m)
{
	bool with_cpu = zh_symbol("zswap_cpu_comp_dead") ||
			zh_symbol("zswap_dstmem_dead");

	seq_printf(m, "lru=%s context=%s second-chance=%s\n",
		   zh_design == ZH_DESIGN_MEMCG_LRU ? "memcg" : "pool",
		   with_cpu ? "cpu" : "pool",
		   ZH_SECOND_CHANCE ? "yes" : "no");
}

/* Why there is no such point in this design; NULL if there is. */
const char *zh_why_absent(enum zh_point point)
{
	return zh_designs[zh_design].why_absent[point];
}

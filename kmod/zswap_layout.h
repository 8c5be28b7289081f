/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mm/zswap.c keeps to itself, for the kernels on which it has been read.
 *
 * Only used on an entry that stands on the LRU while the LRU lock is held:
 * zswap_store() puts it there complete, and zswap_entry_free() takes it off,
 * under that lock, before anything else.
 */
#ifndef _ZSWAP_HOOKS_LAYOUT_H
#define _ZSWAP_HOOKS_LAYOUT_H

/* ZH_LAYOUT_KNOWN comes from Kbuild, which has the table of versions. */

/* As in 6.12. */
struct zh_zswap_entry {
	swp_entry_t swpentry;
	unsigned int length;
	bool referenced;
	void *pool;
	unsigned long handle;
	void *objcg;
	struct list_head lru;
};

#endif /* _ZSWAP_HOOKS_LAYOUT_H */

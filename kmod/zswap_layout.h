/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mm/zswap.c keeps to itself, for the kernels on which it has been read.
 *
 * An entry is only looked at if it stands on the LRU, while the LRU lock is held:
 * zswap_store() puts it there complete, and zswap_entry_free() takes it off,
 * under that lock, before anything else.
 */
#ifndef _ZSWAP_HOOKS_LAYOUT_H
#define _ZSWAP_HOOKS_LAYOUT_H

/* ZH_LAYOUT_KNOWN and ZH_SECOND_CHANCE come from Kbuild. */

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

/*
 * Before what the pool stores, as long as the pool has the LRU: 3.11 to 6.4. It
 * is all that tells the slot of a handle.
 */
struct zh_zswap_header {
	swp_entry_t swpentry;
};

/* ZPOOL_MM_RO of linux/zpool.h, which is gone by now. */
#define ZH_ZPOOL_MM_RO	1

#endif /* _ZSWAP_HOOKS_LAYOUT_H */

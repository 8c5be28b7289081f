// SPDX-License-Identifier: GPL-2.0
/*
 * Provider "ftrace": hook points around the functions of a stock kernel.
 *
 * As live patching does it: an ftrace callback sets the instruction pointer to
 * a wrapper of ours, with the arguments still in their registers. The callback
 * runs with preemption off, the wrapper in the caller's own context, so that
 * the wrapper may sleep where the function may. The wrapper calls the original
 * by its address; that call enters the callback again and is let through, as
 * its parent is that wrapper. Its own wrapper, not any of this module's: a
 * function that another one's original tail-calls returns to that wrapper too,
 * as zswap_entry_free() does where zswap_invalidate() ends in a jump to it.
 *
 * Where this reaches less than the patch series:
 * - writeback@unlocked is at the entry of zswap_writeback_entry(), not right
 *   after the unlock: what stands between the two has run.
 * - swapoff@unused is at reenable_swap_slots_cache_unlock(), as try_to_unuse()
 *   is inlined: it is passed also where try_to_unuse() failed.
 * - swapoff@quiesced is at the entry of zswap_swapoff(), when the users of the
 *   device have gone and its swap_map has been taken from it too.
 * - store@published is at the charge that follows the insertion in the tree, so
 *   that it is passed for pages of a memcg only.
 *
 * Where the pool has the LRU (6.1), writeback@unlocked is at the entry of
 * zswap_writeback_entry() too, which is where the pool has dropped its lock; a
 * store's and a load's result are turned round, so that 1 is success as later.
 *
 * A function that the compiler has inlined or cloned cannot be redirected; its
 * points are absent.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/wait.h>
#include <linux/writeback.h>

#include "compat.h"
#include "zswap_hooks.h"
#include "zswap_layout.h"

/*
 * Wrappers entered, or about to be, and not left. Counted in the callback, as a
 * task can be preempted between the callback and the wrapper.
 */
static atomic_t zh_inflight = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(zh_inflight_wait);

int zh_ftrace_inflight(void)
{
	return atomic_read(&zh_inflight);
}

static void zh_leave(void)
{
	if (atomic_dec_and_test(&zh_inflight))
		wake_up(&zh_inflight_wait);
}

/* Of a page in the swap cache; folio->swap is the same word. */
static unsigned long zh_slot(struct page *page)
{
	return page_private(page);
}

/*
 * writeback. The entry is passed on and never looked at: from here on it may
 * be freed.
 */
static int (*zh_orig_writeback_entry)(void *entry, swp_entry_t swp);
static int zh_writeback_entry(void *entry, swp_entry_t swp)
{
	struct zh_frame *frame;
	int ret;

	zh_hit(ZH_WRITEBACK_UNLOCKED, swp.val, 0);
	frame = zh_frame_push(ZH_PATH_WRITEBACK, swp.val, 0);
	ret = zh_orig_writeback_entry(entry, swp);
	zh_frame_pop(frame);
	zh_hit(ZH_WRITEBACK_DONE, swp.val, ret);
	zh_leave();
	return ret;
}

static void *(*zh_zpool_map_handle)(void *pool, unsigned long handle, int mode);
static void (*zh_zpool_unmap_handle)(void *pool, unsigned long handle);

/*
 * The entry may be gone already, but not what the handle stands for: the pool
 * that calls has its page under reclaim, frees nothing of it and gives nothing of
 * it away before we return. zswap reads the slot from there as well.
 */
static unsigned long zh_slot_of_handle(void *pool, unsigned long handle)
{
	struct zh_zswap_header *header;
	unsigned long slot;

	if (!zh_zpool_map_handle || !zh_zpool_unmap_handle)
		return ZH_NO_SLOT;
	header = zh_zpool_map_handle(pool, handle, ZH_ZPOOL_MM_RO);
	slot = header->swpentry.val;
	zh_zpool_unmap_handle(pool, handle);
	return slot;
}

static int (*zh_orig_evict)(void *pool, unsigned long handle);
static int zh_evict(void *pool, unsigned long handle)
{
	unsigned long slot = zh_slot_of_handle(pool, handle);
	struct zh_frame *frame;
	int ret;

	zh_hit(ZH_WRITEBACK_UNLOCKED, slot, 0);
	frame = zh_frame_push(ZH_PATH_WRITEBACK, slot, 0);
	ret = zh_orig_evict(pool, handle);
	zh_frame_pop(frame);
	zh_hit(ZH_WRITEBACK_DONE, slot, ret);
	zh_leave();
	return ret;
}

/* Not where the points are compiled in, and this only injects failures. */
static bool zh_gives_points;

/*
 * The folio that comes back is locked and in the swapcache if it was allocated
 * here: that is the pin.
 */
static struct folio *(*zh_orig_read_swap)(swp_entry_t swp, gfp_t gfp,
					  struct mempolicy *mpol, pgoff_t ilx,
					  bool *allocated, bool skip);
static struct folio *zh_read_swap(swp_entry_t swp, gfp_t gfp,
				  struct mempolicy *mpol, pgoff_t ilx,
				  bool *allocated, bool skip)
{
	struct zh_frame *frame = zh_frame_on(ZH_PATH_WRITEBACK);
	bool ours = frame && frame->slot == swp.val;
	struct folio *folio;

	/* What the caller sees where folio_alloc_mpol() fails. */
	if (ours && zh_inject(ZH_WRITEBACK_PINNED, swp.val)) {
		*allocated = false;
		zh_leave();
		return NULL;
	}
	folio = zh_orig_read_swap(swp, gfp, mpol, ilx, allocated, skip);
	if (ours && zh_gives_points && folio && *allocated)
		zh_hit(ZH_WRITEBACK_PINNED, swp.val, 0);
	zh_leave();
	return folio;
}

static struct page *(*zh_orig_read_swap_vma)(swp_entry_t swp, gfp_t gfp,
					     struct vm_area_struct *vma,
					     unsigned long addr,
					     bool *allocated);
static struct page *zh_read_swap_vma(swp_entry_t swp, gfp_t gfp,
				     struct vm_area_struct *vma,
				     unsigned long addr, bool *allocated)
{
	struct zh_frame *frame = zh_frame_on(ZH_PATH_WRITEBACK);
	bool ours = frame && frame->slot == swp.val;
	struct page *page;

	if (ours && zh_inject(ZH_WRITEBACK_PINNED, swp.val)) {
		*allocated = false;
		zh_leave();
		return NULL;
	}
	page = zh_orig_read_swap_vma(swp, gfp, vma, addr, allocated);
	if (ours && zh_gives_points && page && *allocated)
		zh_hit(ZH_WRITEBACK_PINNED, swp.val, 0);
	zh_leave();
	return page;
}

static unsigned long (*zh_orig_decompress)(void *entry, struct folio *folio);
static unsigned long zh_decompress(void *entry, struct folio *folio)
{
	struct zh_frame *writeback = zh_frame_on(ZH_PATH_WRITEBACK);
	struct zh_frame *load = zh_frame_on(ZH_PATH_LOAD);
	unsigned long ret;

	if (writeback)
		zh_hit(ZH_WRITEBACK_CLAIMED, writeback->slot, 0);
	if (load)
		zh_hit(ZH_LOAD_ERASED, load->slot, 0);
	ret = zh_orig_decompress(entry, folio);
	if (writeback)
		zh_hit(ZH_WRITEBACK_DECOMPRESSED, writeback->slot, 0);
	zh_leave();
	return ret;
}

static void (*zh_orig_swap_writepage)(struct folio *folio,
				      struct writeback_control *wbc);
static void zh_swap_writepage(struct folio *folio, struct writeback_control *wbc)
{
	struct zh_frame *writeback = zh_frame_on(ZH_PATH_WRITEBACK);

	/* Or a page that the allocation of ours has reclaimed, to be written out. */
	if (writeback && zh_slot(&folio->page) == writeback->slot)
		zh_hit(ZH_WRITEBACK_SUBMIT, writeback->slot, 0);
	zh_orig_swap_writepage(folio, wbc);
	zh_leave();
}

static int (*zh_orig_swap_writepage_int)(struct page *page,
					 struct writeback_control *wbc);
static int zh_swap_writepage_int(struct page *page,
				 struct writeback_control *wbc)
{
	struct zh_frame *writeback = zh_frame_on(ZH_PATH_WRITEBACK);
	int ret;

	if (writeback && zh_slot(page) == writeback->slot)
		zh_hit(ZH_WRITEBACK_SUBMIT, writeback->slot, 0);
	ret = zh_orig_swap_writepage_int(page, wbc);
	zh_leave();
	return ret;
}

/* swapoff */
static long (*zh_orig_do_swapoff)(unsigned long arg);
static long zh_do_swapoff(unsigned long arg)
{
	struct zh_frame *frame;
	long ret;

	zh_hit(ZH_SWAPOFF_BEGIN, ZH_NO_SLOT, 0);
	frame = zh_frame_push(ZH_PATH_SWAPOFF, ZH_NO_SLOT, 0);
	ret = zh_orig_do_swapoff(arg);
	zh_frame_pop(frame);
	zh_leave();
	return ret;
}

static void (*zh_orig_reenable_slots)(void);
static void zh_reenable_slots(void)
{
	if (zh_frame_on(ZH_PATH_SWAPOFF))
		zh_hit(ZH_SWAPOFF_UNUSED, ZH_NO_SLOT, 0);
	zh_orig_reenable_slots();
	zh_leave();
}

static void (*zh_orig_zswap_swapoff)(int type);
static void zh_zswap_swapoff(int type)
{
	unsigned long slot = swp_entry(type, 0).val;

	zh_hit(ZH_SWAPOFF_QUIESCED, slot, 0);
	zh_orig_zswap_swapoff(type);
	zh_hit(ZH_SWAPOFF_TREES_FREED, slot, 0);
	zh_leave();
}

/* invalidate: a page-table lock may be held all along. */
static void (*zh_orig_invalidate)(swp_entry_t swp);
static void zh_invalidate(swp_entry_t swp)
{
	struct zh_frame *frame;

	zh_hit(ZH_INVALIDATE_ENTER, swp.val, 0);
	frame = zh_frame_push(ZH_PATH_INVALIDATE, swp.val, 0);
	zh_orig_invalidate(swp);
	if (frame && frame->erased)
		zh_hit(ZH_INVALIDATE_FREED, swp.val, 0);
	zh_frame_pop(frame);
	zh_leave();
}

static void (*zh_orig_fs_invalidate)(unsigned int type, pgoff_t offset);
static void zh_fs_invalidate(unsigned int type, pgoff_t offset)
{
	unsigned long slot = swp_entry(type, offset).val;
	struct zh_frame *frame;

	zh_hit(ZH_INVALIDATE_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_INVALIDATE, slot, 0);
	zh_orig_fs_invalidate(type, offset);
	if (frame && frame->erased)
		zh_hit(ZH_INVALIDATE_FREED, slot, 0);
	zh_frame_pop(frame);
	zh_leave();
}

static void (*zh_orig_entry_free)(void *entry);
static void zh_entry_free(void *entry)
{
	struct zh_frame *invalidate = zh_frame_on(ZH_PATH_INVALIDATE);

	if (invalidate) {
		invalidate->erased = true;
		zh_hit(ZH_INVALIDATE_ERASED, invalidate->slot, 0);
	}
	zh_orig_entry_free(entry);
	zh_leave();
}

/* load and store: the folio is locked, so that its slot stands still. */
static bool (*zh_orig_load)(struct folio *folio);
static bool zh_load(struct folio *folio)
{
	unsigned long slot = zh_slot(&folio->page);
	struct zh_frame *frame;
	bool ret;

	zh_hit(ZH_LOAD_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_LOAD, slot, 0);
	ret = zh_orig_load(folio);
	zh_frame_pop(frame);
	zh_hit(ZH_LOAD_DONE, slot, ret);
	zh_leave();
	return ret;
}

static int (*zh_orig_fs_load)(unsigned int type, pgoff_t offset,
			      struct page *page);
static int zh_fs_load(unsigned int type, pgoff_t offset, struct page *page)
{
	unsigned long slot = swp_entry(type, offset).val;
	struct zh_frame *frame;
	int ret;

	zh_hit(ZH_LOAD_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_LOAD, slot, 0);
	ret = zh_orig_fs_load(type, offset, page);
	zh_frame_pop(frame);
	zh_hit(ZH_LOAD_DONE, slot, !ret);
	zh_leave();
	return ret;
}

static bool (*zh_orig_store)(struct folio *folio);
static bool zh_store(struct folio *folio)
{
	unsigned long slot = zh_slot(&folio->page);
	struct zh_frame *frame;
	bool ret;

	zh_hit(ZH_STORE_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_STORE, slot, 0);
	ret = zh_orig_store(folio);
	zh_frame_pop(frame);
	zh_hit(ZH_STORE_DONE, slot, ret);
	zh_leave();
	return ret;
}

static int (*zh_orig_fs_store)(unsigned int type, pgoff_t offset,
			       struct page *page);
static int zh_fs_store(unsigned int type, pgoff_t offset, struct page *page)
{
	unsigned long slot = swp_entry(type, offset).val;
	struct zh_frame *frame;
	int ret;

	zh_hit(ZH_STORE_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_STORE, slot, 0);
	ret = zh_orig_fs_store(type, offset, page);
	zh_frame_pop(frame);
	zh_hit(ZH_STORE_DONE, slot, !ret);
	zh_leave();
	return ret;
}

static void (*zh_orig_charge)(struct obj_cgroup *objcg, size_t size);
static void zh_charge(struct obj_cgroup *objcg, size_t size)
{
	struct zh_frame *store = zh_frame_on(ZH_PATH_STORE);

	if (store)
		zh_hit(ZH_STORE_PUBLISHED, store->slot, 0);
	zh_orig_charge(objcg, size);
	zh_leave();
}

/*
 * The compressed data are in the buffer of the CPU that the store began on, whose
 * acomp_ctx->mutex it holds from before the compression until it has copied them:
 * nothing else keeps request and buffer where that CPU goes offline. It may sleep
 * for memory here, so it may be held.
 */
static int (*zh_orig_zpool_malloc)(void *pool, size_t size, gfp_t gfp,
				   unsigned long *handle);
static int zh_zpool_malloc(void *pool, size_t size, gfp_t gfp,
			   unsigned long *handle)
{
	struct zh_frame *store = zh_frame_on(ZH_PATH_STORE);
	int ret;

	if (store)
		zh_hit(ZH_STORE_COMPRESSED, store->slot, 0);
	ret = zh_orig_zpool_malloc(pool, size, gfp, handle);
	zh_leave();
	return ret;
}

/**
 * struct zh_target - a function of the kernel, and its points
 * @names: the function, or others that serve where it is not found
 * @wrapper: what runs in its place; NULL to observe its entry only
 * @wrapper_size: its length in bytes
 * @orig: where the wrapper finds the original's address
 * @designs: bit mask of the designs of zswap in which it has this signature, and
 *	its points this meaning
 * @points: bit mask of the points that it serves
 * @name: the one of @names that was found
 * @addr: its address, or 0
 * @ops: the ftrace registration
 */
struct zh_target {
	const char *names[2];
	void *wrapper;
	unsigned long wrapper_size;
	void **orig;
	unsigned long designs;
	unsigned long points;
	const char *name;
	unsigned long addr;
	struct ftrace_ops ops;
};

#define ZH_REDIRECT(function, fallback, to, original, design, mask) {	\
	.names = { function, fallback },				\
	.wrapper = to,							\
	.orig = (void **)&(original),					\
	.designs = design,						\
	.points = mask,							\
}

#define ZH_POOL		BIT(ZH_DESIGN_POOL_LRU)
#define ZH_MEMCG	BIT(ZH_DESIGN_MEMCG_LRU)

static struct zh_target zh_targets[] = {
	{
		.names = { "shrink_memcg_cb" },
		.designs = ZH_MEMCG,
		.points = BIT(ZH_WRITEBACK_ISOLATED),
	},
	ZH_REDIRECT("zswap_writeback_entry", NULL,
		    zh_writeback_entry, zh_orig_writeback_entry, ZH_MEMCG,
		    BIT(ZH_WRITEBACK_UNLOCKED) | BIT(ZH_WRITEBACK_DONE)),
	ZH_REDIRECT("zswap_writeback_entry", NULL,
		    zh_evict, zh_orig_evict, ZH_POOL,
		    BIT(ZH_WRITEBACK_UNLOCKED) | BIT(ZH_WRITEBACK_DONE)),
	ZH_REDIRECT("__read_swap_cache_async", NULL,
		    zh_read_swap, zh_orig_read_swap, ZH_MEMCG,
		    BIT(ZH_WRITEBACK_PINNED)),
	ZH_REDIRECT("__read_swap_cache_async", NULL,
		    zh_read_swap_vma, zh_orig_read_swap_vma, ZH_POOL,
		    BIT(ZH_WRITEBACK_PINNED)),
	ZH_REDIRECT("zswap_decompress", NULL,
		    zh_decompress, zh_orig_decompress, ZH_MEMCG,
		    BIT(ZH_WRITEBACK_CLAIMED) | BIT(ZH_WRITEBACK_DECOMPRESSED) |
		    BIT(ZH_LOAD_ERASED)),
	ZH_REDIRECT("__swap_writepage", NULL,
		    zh_swap_writepage, zh_orig_swap_writepage, ZH_MEMCG,
		    BIT(ZH_WRITEBACK_SUBMIT)),
	ZH_REDIRECT("__swap_writepage", NULL,
		    zh_swap_writepage_int, zh_orig_swap_writepage_int, ZH_POOL,
		    BIT(ZH_WRITEBACK_SUBMIT)),
	ZH_REDIRECT("__do_sys_swapoff", "__x64_sys_swapoff",
		    zh_do_swapoff, zh_orig_do_swapoff, ZH_POOL | ZH_MEMCG,
		    BIT(ZH_SWAPOFF_BEGIN)),
	ZH_REDIRECT("reenable_swap_slots_cache_unlock", NULL,
		    zh_reenable_slots, zh_orig_reenable_slots,
		    ZH_POOL | ZH_MEMCG, BIT(ZH_SWAPOFF_UNUSED)),
	ZH_REDIRECT("zswap_swapoff", "zswap_frontswap_invalidate_area",
		    zh_zswap_swapoff, zh_orig_zswap_swapoff,
		    ZH_POOL | ZH_MEMCG,
		    BIT(ZH_SWAPOFF_QUIESCED) | BIT(ZH_SWAPOFF_TREES_FREED)),
	ZH_REDIRECT("zswap_invalidate", NULL,
		    zh_invalidate, zh_orig_invalidate, ZH_MEMCG,
		    BIT(ZH_INVALIDATE_ENTER)),
	ZH_REDIRECT("zswap_frontswap_invalidate_page", NULL,
		    zh_fs_invalidate, zh_orig_fs_invalidate, ZH_POOL,
		    BIT(ZH_INVALIDATE_ENTER)),
	ZH_REDIRECT("zswap_entry_free", "zswap_free_entry",
		    zh_entry_free, zh_orig_entry_free, ZH_POOL | ZH_MEMCG,
		    BIT(ZH_INVALIDATE_ERASED) | BIT(ZH_INVALIDATE_FREED)),
	ZH_REDIRECT("zswap_load", NULL,
		    zh_load, zh_orig_load, ZH_MEMCG,
		    BIT(ZH_LOAD_ENTER) | BIT(ZH_LOAD_DONE)),
	ZH_REDIRECT("zswap_frontswap_load", NULL,
		    zh_fs_load, zh_orig_fs_load, ZH_POOL,
		    BIT(ZH_LOAD_ENTER) | BIT(ZH_LOAD_DONE)),
	ZH_REDIRECT("zswap_store", NULL,
		    zh_store, zh_orig_store, ZH_MEMCG,
		    BIT(ZH_STORE_ENTER) | BIT(ZH_STORE_DONE)),
	ZH_REDIRECT("zswap_frontswap_store", NULL,
		    zh_fs_store, zh_orig_fs_store, ZH_POOL,
		    BIT(ZH_STORE_ENTER) | BIT(ZH_STORE_DONE)),
	/* The charge comes before the insertion where the pool has the LRU. */
	ZH_REDIRECT("obj_cgroup_charge_zswap", NULL,
		    zh_charge, zh_orig_charge, ZH_MEMCG,
		    BIT(ZH_STORE_PUBLISHED)),
	ZH_REDIRECT("zpool_malloc", NULL,
		    zh_zpool_malloc, zh_orig_zpool_malloc,
		    ZH_POOL | ZH_MEMCG, BIT(ZH_STORE_COMPRESSED)),
};

static void notrace zh_redirect(unsigned long ip, unsigned long parent,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	struct zh_target *t = container_of(ops, struct zh_target, ops);

	if (parent - (unsigned long)t->wrapper < t->wrapper_size)
		return;
	atomic_inc(&zh_inflight);
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)t->wrapper);
}

/*
 * shrink_memcg_cb() is called with the LRU lock held, and the entry is on the
 * LRU: it may be looked at here, for the last time.
 */
static void notrace zh_isolated(unsigned long ip, unsigned long parent,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	struct list_head *item = (void *)ftrace_regs_get_argument(fregs, 0);
	struct zh_zswap_entry *entry;

	entry = container_of(item, struct zh_zswap_entry, lru);
	zh_hit(ZH_WRITEBACK_ISOLATED, entry->swpentry.val, entry->referenced);
}

static bool zh_usable(const struct zh_target *t)
{
	return t->addr && (t->wrapper ? t->wrapper_size : ZH_LAYOUT_KNOWN);
}

/* Not exported; where it is missing, nothing is redirected. */
static unsigned long zh_size_of(void *function)
{
	int (*lookup)(unsigned long addr, unsigned long *size,
		      unsigned long *offset);
	unsigned long size, offset;

	lookup = zh_symbol("kallsyms_lookup_size_offset");
	if (!lookup || !lookup((unsigned long)function, &size, &offset))
		return 0;
	return size - offset;
}

/* Setting the filter fails for a function that is not traced. */
static void zh_ftrace_probe(void)
{
	int i, j;

	zh_zpool_map_handle = zh_symbol("zpool_map_handle");
	zh_zpool_unmap_handle = zh_symbol("zpool_unmap_handle");
	for (i = 0; i < ARRAY_SIZE(zh_targets); i++) {
		struct zh_target *t = &zh_targets[i];

		if (!(t->designs & BIT(zh_design)))
			continue;
		t->ops.func = t->wrapper ? zh_redirect : zh_isolated;
		t->ops.flags = FTRACE_OPS_FL_SAVE_REGS_IF_SUPPORTED |
			       FTRACE_OPS_FL_RECURSION;
		if (t->wrapper) {
			t->ops.flags |= FTRACE_OPS_FL_IPMODIFY;
			t->wrapper_size = zh_size_of(t->wrapper);
		}
		for (j = 0; j < ARRAY_SIZE(t->names) && !t->addr; j++) {
			unsigned long addr;

			if (!t->names[j])
				continue;
			addr = (unsigned long)zh_symbol(t->names[j]);
			if (!addr ||
			    ftrace_set_filter_ip(&t->ops, addr, 0, 0))
				continue;
			t->addr = addr;
			t->name = t->names[j];
			if (t->orig)
				*t->orig = (void *)addr;
		}
	}
}

/* Also after zh_ftrace_start_beside(). */
void zh_ftrace_stop(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_targets); i++) {
		if (zh_targets[i].ops.flags & FTRACE_OPS_FL_ENABLED)
			unregister_ftrace_function(&zh_targets[i].ops);
	}
	/* No more come in; those inside finish what they wrap. */
	wait_event_idle(zh_inflight_wait, !atomic_read(&zh_inflight));
	/* The last instructions of a wrapper, after zh_leave(). */
	synchronize_rcu_tasks();
}

static int zh_register(bool (*wanted)(const struct zh_target *t))
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(zh_targets); i++) {
		struct zh_target *t = &zh_targets[i];

		if (!wanted(t))
			continue;
		ret = register_ftrace_function(&t->ops);
		if (ret) {
			pr_err("cannot redirect %s: %d\n", t->name, ret);
			zh_ftrace_stop();
			return ret;
		}
	}
	return 0;
}

static int zh_ftrace_start(void)
{
	zh_gives_points = true;
	return zh_register(zh_usable);
}

static bool zh_usable_beside(const struct zh_target *t)
{
	return zh_usable(t) && (t->points == BIT(ZH_WRITEBACK_PINNED) ||
				t->points == BIT(ZH_STORE_COMPRESSED));
}

/**
 * zh_ftrace_start_beside - redirect only what compiled-in points do not serve
 *
 * Return: 0 also where this kernel's functions cannot be redirected: no failure
 * is injected there, and a trial that asks for one shows that.
 */
int zh_ftrace_start_beside(void)
{
	zh_gives_points = false;
	return zh_register(zh_usable_beside);
}

static const char *zh_ftrace_where(enum zh_point point)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_targets); i++) {
		const struct zh_target *t = &zh_targets[i];

		if (zh_usable(t) && (t->points & BIT(point)))
			return t->name;
	}
	return NULL;
}

static void zh_ftrace_forget(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_targets); i++)
		ftrace_free_filter(&zh_targets[i].ops);
}

const struct zh_provider zh_ftrace_provider = {
	.name = "ftrace",
	.probe = zh_ftrace_probe,
	.start = zh_ftrace_start,
	.stop = zh_ftrace_stop,
	.forget = zh_ftrace_forget,
	.where = zh_ftrace_where,
	.why_absent = "no function to redirect: inlined, cloned, or not there",
};

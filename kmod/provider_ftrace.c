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
 * A function that the compiler has inlined or cloned cannot be redirected: its
 * points are absent, and those within the path that it begins.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/wait.h>

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

/*
 * A wrapper takes all six registers that arguments come in, hands them on as they are,
 * and returns the whole of the register that a result is in: of the original's
 * signature it has to know what it looks at and no more. What that is differs between
 * the designs: struct zh_signatures.
 */
#define ZH_REGS								\
	unsigned long a, unsigned long b, unsigned long c,		\
	unsigned long d, unsigned long e, unsigned long f

/* Not checked by kCFI: the hash that it compares is that of the true signature. */
#define ZH_WRAPPER(name)						\
	static unsigned long (*zh_orig_##name)(ZH_REGS);		\
	static unsigned long __nocfi zh_##name(ZH_REGS)

#define ZH_CALL(name)	zh_orig_##name(a, b, c, d, e, f)

/**
 * struct zh_signatures - what a design's functions are called with, and return
 * @written_back: slot of zswap_writeback_entry()'s arguments
 * @invalidated: slot of an invalidation's arguments
 * @moved: slot of a load's or a store's arguments
 * @succeeded: whether a load's or a store's result is success
 */
struct zh_signatures {
	unsigned long (*written_back)(unsigned long a, unsigned long b);
	unsigned long (*invalidated)(unsigned long a, unsigned long b);
	unsigned long (*moved)(unsigned long a, unsigned long b);
	bool (*succeeded)(unsigned long result);
};

static unsigned long zh_first(unsigned long a, unsigned long b)
{
	return a;
}

static unsigned long zh_second(unsigned long a, unsigned long b)
{
	return b;
}

/* Of a page in the swap cache; folio->swap is the same word. */
static unsigned long zh_page_slot(unsigned long page, unsigned long b)
{
	return page_private((struct page *)page);
}

/* frontswap's way: unsigned int type, pgoff_t offset */
static unsigned long zh_offset_slot(unsigned long type, unsigned long offset)
{
	return swp_entry((unsigned int)type, offset).val;
}

static void *(*zh_zpool_map_handle)(void *pool, unsigned long handle, int mode);
static void (*zh_zpool_unmap_handle)(void *pool, unsigned long handle);

/*
 * The entry may be gone already, but not what the handle stands for: the pool
 * that calls has its page under reclaim, frees nothing of it and gives nothing of
 * it away before we return. zswap reads the slot from there as well.
 */
static unsigned long __nocfi zh_handle_slot(unsigned long pool,
					    unsigned long handle)
{
	struct zh_zswap_header *header;
	unsigned long slot;

	if (!zh_zpool_map_handle || !zh_zpool_unmap_handle)
		return ZH_NO_SLOT;
	header = zh_zpool_map_handle((void *)pool, handle, ZH_ZPOOL_MM_RO);
	slot = header->swpentry.val;
	zh_zpool_unmap_handle((void *)pool, handle);
	return slot;
}

/* A bool is in the lowest byte; what is above it is anything. */
static bool zh_is_true(unsigned long result)
{
	return result & 0xff;
}

static bool zh_is_zero(unsigned long result)
{
	return !(int)result;
}

static const struct zh_signatures zh_signatures[] = {
	[ZH_DESIGN_POOL_LRU] = {
		.written_back = zh_handle_slot,
		.invalidated = zh_offset_slot,
		.moved = zh_offset_slot,
		.succeeded = zh_is_zero,
	},
	[ZH_DESIGN_MEMCG_LRU] = {
		.written_back = zh_second,
		.invalidated = zh_first,
		.moved = zh_page_slot,
		.succeeded = zh_is_true,
	},
};

/*
 * writeback. An entry is passed on and never looked at: from here on it may be
 * freed.
 */
ZH_WRAPPER(writeback_entry)
{
	unsigned long slot = zh_signatures[zh_design].written_back(a, b);
	struct zh_frame *frame;
	unsigned long ret;

	zh_hit(ZH_WRITEBACK_UNLOCKED, slot, 0);
	frame = zh_frame_push(ZH_PATH_WRITEBACK, slot, 0);
	ret = ZH_CALL(writeback_entry);
	zh_frame_pop(frame);
	zh_hit(ZH_WRITEBACK_DONE, slot, (int)ret);
	zh_leave();
	return ret;
}

/* Not where the points are compiled in, and this only injects failures. */
static bool zh_gives_points;

/*
 * The folio that comes back is locked and in the swapcache if it was allocated
 * here: that is the pin. Whether it was is told through the fifth argument.
 */
ZH_WRAPPER(read_swap)
{
	struct zh_frame *frame = zh_frame_on(ZH_PATH_WRITEBACK);
	bool ours = frame && frame->slot == a;
	bool *allocated = (bool *)e;
	unsigned long folio;

	/* What the caller sees where no folio can be allocated. */
	if (ours && zh_inject(ZH_WRITEBACK_PINNED, a)) {
		*allocated = false;
		zh_leave();
		return 0;
	}
	folio = ZH_CALL(read_swap);
	if (ours && zh_gives_points && folio && *allocated)
		zh_hit(ZH_WRITEBACK_PINNED, a, 0);
	zh_leave();
	return folio;
}

ZH_WRAPPER(decompress)
{
	struct zh_frame *writeback = zh_frame_on(ZH_PATH_WRITEBACK);
	struct zh_frame *load = zh_frame_on(ZH_PATH_LOAD);
	unsigned long ret;

	if (writeback)
		zh_hit(ZH_WRITEBACK_CLAIMED, writeback->slot, 0);
	if (load)
		zh_hit(ZH_LOAD_ERASED, load->slot, 0);
	ret = ZH_CALL(decompress);
	if (writeback)
		zh_hit(ZH_WRITEBACK_DECOMPRESSED, writeback->slot, 0);
	zh_leave();
	return ret;
}

ZH_WRAPPER(swap_writepage)
{
	struct zh_frame *writeback = zh_frame_on(ZH_PATH_WRITEBACK);
	unsigned long ret;

	/* Or a page that the allocation of ours has reclaimed, to be written out. */
	if (writeback && zh_page_slot(a, b) == writeback->slot)
		zh_hit(ZH_WRITEBACK_SUBMIT, writeback->slot, 0);
	ret = ZH_CALL(swap_writepage);
	zh_leave();
	return ret;
}

/* swapoff */
ZH_WRAPPER(do_swapoff)
{
	struct zh_frame *frame;
	unsigned long ret;

	zh_hit(ZH_SWAPOFF_BEGIN, ZH_NO_SLOT, 0);
	frame = zh_frame_push(ZH_PATH_SWAPOFF, ZH_NO_SLOT, 0);
	ret = ZH_CALL(do_swapoff);
	zh_frame_pop(frame);
	zh_leave();
	return ret;
}

ZH_WRAPPER(reenable_slots)
{
	unsigned long ret;

	if (zh_frame_on(ZH_PATH_SWAPOFF))
		zh_hit(ZH_SWAPOFF_UNUSED, ZH_NO_SLOT, 0);
	ret = ZH_CALL(reenable_slots);
	zh_leave();
	return ret;
}

ZH_WRAPPER(zswap_swapoff)
{
	unsigned long slot = zh_offset_slot(a, 0);
	unsigned long ret;

	zh_hit(ZH_SWAPOFF_QUIESCED, slot, 0);
	ret = ZH_CALL(zswap_swapoff);
	zh_hit(ZH_SWAPOFF_TREES_FREED, slot, 0);
	zh_leave();
	return ret;
}

/* invalidate: a page-table lock may be held all along. */
ZH_WRAPPER(invalidate)
{
	unsigned long slot = zh_signatures[zh_design].invalidated(a, b);
	struct zh_frame *frame;
	unsigned long ret;

	zh_hit(ZH_INVALIDATE_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_INVALIDATE, slot, 0);
	ret = ZH_CALL(invalidate);
	if (frame && frame->erased)
		zh_hit(ZH_INVALIDATE_FREED, slot, 0);
	zh_frame_pop(frame);
	zh_leave();
	return ret;
}

ZH_WRAPPER(entry_free)
{
	struct zh_frame *invalidate = zh_frame_on(ZH_PATH_INVALIDATE);
	unsigned long ret;

	if (invalidate) {
		invalidate->erased = true;
		zh_hit(ZH_INVALIDATE_ERASED, invalidate->slot, 0);
	}
	ret = ZH_CALL(entry_free);
	zh_leave();
	return ret;
}

/* load and store: the page is locked, so that its slot stands still. */
ZH_WRAPPER(load)
{
	const struct zh_signatures *signatures = &zh_signatures[zh_design];
	unsigned long slot = signatures->moved(a, b);
	struct zh_frame *frame;
	unsigned long ret;

	zh_hit(ZH_LOAD_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_LOAD, slot, 0);
	ret = ZH_CALL(load);
	zh_frame_pop(frame);
	zh_hit(ZH_LOAD_DONE, slot, signatures->succeeded(ret));
	zh_leave();
	return ret;
}

ZH_WRAPPER(store)
{
	const struct zh_signatures *signatures = &zh_signatures[zh_design];
	unsigned long slot = signatures->moved(a, b);
	struct zh_frame *frame;
	unsigned long ret;

	zh_hit(ZH_STORE_ENTER, slot, 0);
	frame = zh_frame_push(ZH_PATH_STORE, slot, 0);
	ret = ZH_CALL(store);
	zh_frame_pop(frame);
	zh_hit(ZH_STORE_DONE, slot, signatures->succeeded(ret));
	zh_leave();
	return ret;
}

ZH_WRAPPER(charge)
{
	struct zh_frame *store = zh_frame_on(ZH_PATH_STORE);
	unsigned long ret;

	if (store)
		zh_hit(ZH_STORE_PUBLISHED, store->slot, 0);
	ret = ZH_CALL(charge);
	zh_leave();
	return ret;
}

/*
 * The compressed data are in the buffer of the CPU that the store began on, whose
 * acomp_ctx->mutex it holds from before the compression until it has copied them:
 * nothing else keeps request and buffer where that CPU goes offline. A store that
 * holds that mutex may sleep: crypto_wait_req() has, under it. (zpool_malloc()
 * itself does not wait for memory here: its flags have no direct reclaim.)
 */
ZH_WRAPPER(zpool_malloc)
{
	struct zh_frame *store = zh_frame_on(ZH_PATH_STORE);
	unsigned long ret;

	if (store)
		zh_hit(ZH_STORE_COMPRESSED, store->slot, 0);
	ret = ZH_CALL(zpool_malloc);
	zh_leave();
	return ret;
}

/**
 * struct zh_target - a function of the kernel, and its points
 * @names: the function, or others that serve where it is not found
 * @wrapper: what runs in its place; NULL to observe its entry only
 * @wrapper_size: its length in bytes
 * @orig: where the wrapper finds the original's address
 * @designs: bit mask of the designs of zswap in which its points have this meaning;
 *	0 for all that have the function
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

#define ZH_REDIRECT(function, fallback, to, mask) {			\
	.names = { function, fallback },				\
	.wrapper = zh_##to,						\
	.orig = (void **)&zh_orig_##to,					\
	.points = mask,							\
}

static struct zh_target zh_targets[] = {
	{
		.names = { "shrink_memcg_cb" },
		.points = BIT(ZH_WRITEBACK_ISOLATED),
	},
	ZH_REDIRECT("zswap_writeback_entry", NULL, writeback_entry,
		    BIT(ZH_WRITEBACK_UNLOCKED) | BIT(ZH_WRITEBACK_DONE)),
	ZH_REDIRECT("__read_swap_cache_async", NULL, read_swap,
		    BIT(ZH_WRITEBACK_PINNED)),
	ZH_REDIRECT("zswap_decompress", NULL, decompress,
		    BIT(ZH_WRITEBACK_CLAIMED) | BIT(ZH_WRITEBACK_DECOMPRESSED) |
		    BIT(ZH_LOAD_ERASED)),
	ZH_REDIRECT("__swap_writepage", NULL, swap_writepage,
		    BIT(ZH_WRITEBACK_SUBMIT)),
	ZH_REDIRECT("__do_sys_swapoff", "__x64_sys_swapoff", do_swapoff,
		    BIT(ZH_SWAPOFF_BEGIN)),
	ZH_REDIRECT("reenable_swap_slots_cache_unlock", NULL, reenable_slots,
		    BIT(ZH_SWAPOFF_UNUSED)),
	ZH_REDIRECT("zswap_swapoff", "zswap_frontswap_invalidate_area",
		    zswap_swapoff,
		    BIT(ZH_SWAPOFF_QUIESCED) | BIT(ZH_SWAPOFF_TREES_FREED)),
	ZH_REDIRECT("zswap_invalidate", "zswap_frontswap_invalidate_page",
		    invalidate, BIT(ZH_INVALIDATE_ENTER)),
	ZH_REDIRECT("zswap_entry_free", "zswap_free_entry", entry_free,
		    BIT(ZH_INVALIDATE_ERASED) | BIT(ZH_INVALIDATE_FREED)),
	ZH_REDIRECT("zswap_load", "zswap_frontswap_load", load,
		    BIT(ZH_LOAD_ENTER) | BIT(ZH_LOAD_DONE)),
	ZH_REDIRECT("zswap_store", "zswap_frontswap_store", store,
		    BIT(ZH_STORE_ENTER) | BIT(ZH_STORE_DONE)),
	{
		/* It comes before the insertion where the pool has the LRU. */
		.names = { "obj_cgroup_charge_zswap" },
		.wrapper = zh_charge,
		.orig = (void **)&zh_orig_charge,
		.designs = BIT(ZH_DESIGN_MEMCG_LRU),
		.points = BIT(ZH_STORE_PUBLISHED),
	},
	ZH_REDIRECT("zpool_malloc", NULL, zpool_malloc, BIT(ZH_STORE_COMPRESSED)),
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

		if (t->designs && !(t->designs & BIT(zh_design)))
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

/**
 * zh_ftrace_redirected - the function that is redirected for a point
 * @point: which
 *
 * Return: its name, or NULL.
 */
const char *zh_ftrace_redirected(enum zh_point point)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_targets); i++) {
		const struct zh_target *t = &zh_targets[i];

		if (zh_usable(t) && (t->points & BIT(point)))
			return t->name;
	}
	return NULL;
}

/* Where the path begins that a point is on: what lies within it asks for its frame. */
static enum zh_point zh_path_begin(enum zh_point point)
{
	switch (point) {
	case ZH_WRITEBACK_PINNED:
	case ZH_WRITEBACK_CLAIMED:
	case ZH_WRITEBACK_DECOMPRESSED:
	case ZH_WRITEBACK_SUBMIT:
		return ZH_WRITEBACK_UNLOCKED;
	case ZH_SWAPOFF_UNUSED:
		return ZH_SWAPOFF_BEGIN;
	case ZH_INVALIDATE_ERASED:
	case ZH_INVALIDATE_FREED:
		return ZH_INVALIDATE_ENTER;
	case ZH_LOAD_ERASED:
		return ZH_LOAD_ENTER;
	case ZH_STORE_PUBLISHED:
	case ZH_STORE_COMPRESSED:
		return ZH_STORE_ENTER;
	default:
		return point;
	}
}

static const char *zh_ftrace_where(enum zh_point point)
{
	if (!zh_ftrace_redirected(zh_path_begin(point)))
		return NULL;
	return zh_ftrace_redirected(point);
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

// SPDX-License-Identifier: GPL-2.0
/*
 * Provider "patch": the hook points that are compiled in, by our patch series or,
 * where that does not apply, by `harness kernel patch`. The latter says in the
 * header which of them the kernel has no place for.
 */
#include "zswap_hooks.h"

#ifdef CONFIG_ZSWAP_HOOKS
#include <linux/zswap_hooks.h>

/* Checked here once, so that the handler can pass the number on. */
#define ZH_SAME(name) \
	static_assert((int)ZH_##name == (int)ZSWAP_HOOK_##name)
ZH_SAME(WRITEBACK_ISOLATED);
ZH_SAME(WRITEBACK_UNLOCKED);
ZH_SAME(WRITEBACK_PINNED);
ZH_SAME(WRITEBACK_CLAIMED);
ZH_SAME(WRITEBACK_DECOMPRESSED);
ZH_SAME(WRITEBACK_SUBMIT);
ZH_SAME(WRITEBACK_DONE);
ZH_SAME(SWAPOFF_BEGIN);
ZH_SAME(SWAPOFF_UNUSED);
ZH_SAME(SWAPOFF_QUIESCED);
ZH_SAME(SWAPOFF_TREES_FREED);
ZH_SAME(INVALIDATE_ENTER);
ZH_SAME(INVALIDATE_ERASED);
ZH_SAME(INVALIDATE_FREED);
ZH_SAME(LOAD_ENTER);
ZH_SAME(LOAD_ERASED);
ZH_SAME(LOAD_DONE);
ZH_SAME(STORE_ENTER);
ZH_SAME(STORE_PUBLISHED);
ZH_SAME(STORE_DONE);
static_assert((int)ZH_STORE_COMPRESSED == (int)NR_ZSWAP_HOOK_POINTS);

/* A path that is entered and not left leaves its frame to the next one. */
static void zh_patch_enter(enum zh_path path, unsigned long slot)
{
	struct zh_frame *frame = zh_frame_on(path);

	if (frame)
		frame->slot = slot;
	else
		zh_frame_push(path, slot, 0);
}

#ifndef ZSWAP_HOOKS_ABSENT
#define ZSWAP_HOOKS_ABSENT	0UL
#endif

/*
 * What is redirected beside the compiled-in points has to know whose path it is
 * on: the allocation of writeback's folio, into which failures are injected, and
 * the pool's, for what a store has compressed.
 */
static void zh_patch_note_path(enum zswap_hook_point point, unsigned long slot)
{
	switch (point) {
	case ZSWAP_HOOK_WRITEBACK_UNLOCKED:
		zh_patch_enter(ZH_PATH_WRITEBACK, slot);
		break;
	case ZSWAP_HOOK_WRITEBACK_DONE:
		zh_frame_pop(zh_frame_on(ZH_PATH_WRITEBACK));
		break;
	case ZSWAP_HOOK_STORE_ENTER:
		zh_patch_enter(ZH_PATH_STORE, slot);
		break;
	case ZSWAP_HOOK_STORE_DONE:
		zh_frame_pop(zh_frame_on(ZH_PATH_STORE));
		break;
	default:
		break;
	}
}

static void zh_patch_handler(enum zswap_hook_point point, swp_entry_t swp,
			     long result)
{
	zh_patch_note_path(point, swp.val);
	zh_hit((enum zh_point)point, swp.val, result);
}

static int zh_patch_start(void)
{
	int ret = zswap_hooks_register(zh_patch_handler);

	if (ret)
		return ret;
	ret = zh_ftrace_start_beside();
	if (ret)
		zswap_hooks_unregister();
	return ret;
}

static void zh_patch_stop(void)
{
	zswap_hooks_unregister();
	zh_ftrace_stop();
}

static const char *zh_patch_where(enum zh_point point)
{
	if (point == ZH_STORE_COMPRESSED)
		return zh_ftrace_redirected(point);
	return ZSWAP_HOOKS_ABSENT & BIT(point) ? NULL : "compiled-in";
}
#else
static int zh_patch_start(void)
{
	return -EOPNOTSUPP;
}

static void zh_patch_stop(void)
{
}

static const char *zh_patch_where(enum zh_point point)
{
	return NULL;
}
#endif /* CONFIG_ZSWAP_HOOKS */

static void zh_patch_probe(void)
{
}

const struct zh_provider zh_patch_provider = {
	.name = "patch",
	.probe = zh_patch_probe,
	.start = zh_patch_start,
	.stop = zh_patch_stop,
	.where = zh_patch_where,
	.why_absent = "not compiled in: no place was found for it",
};

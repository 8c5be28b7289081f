// SPDX-License-Identifier: GPL-2.0
/*
 * Which path a task is on. A function such as zswap_decompress() serves
 * several; and one path can nest in another (a load allocates, reclaims,
 * stores and writes back), so each task has a stack of them.
 */
#include <linux/spinlock.h>

#include "zswap_hooks.h"

/*
 * Not on the tasks' stacks: a task that oopses below a wrapper never comes back
 * to take its frame off the list, and its stack is freed.
 */
static struct zh_frame zh_frame_pool[512];

/* Protects the lists. Frames are pushed below page-table and LRU locks. */
static DEFINE_SPINLOCK(zh_frames_lock);
static LIST_HEAD(zh_frames);
static LIST_HEAD(zh_free_frames);

void __init zh_frames_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_frame_pool); i++)
		list_add_tail(&zh_frame_pool[i].list, &zh_free_frames);
}

/**
 * zh_frame_push - the current task enters a path
 * @path: which
 * @slot: of this swap entry, or ZH_NO_SLOT
 * @memcg: inode of the cgroup being walked, or 0
 *
 * Return: the frame, or NULL if there are too many: the points that depend on
 * it are not hit then, so that the record lacks them, and says so.
 */
struct zh_frame *zh_frame_push(enum zh_path path, unsigned long slot, u64 memcg)
{
	struct zh_frame *frame;
	unsigned long flags;

	spin_lock_irqsave(&zh_frames_lock, flags);
	frame = list_first_entry_or_null(&zh_free_frames, struct zh_frame, list);
	if (frame) {
		frame->task = current;
		frame->start = current->start_boottime;
		frame->path = path;
		frame->slot = slot;
		frame->memcg = memcg;
		frame->erased = false;
		list_move(&frame->list, &zh_frames);
	}
	spin_unlock_irqrestore(&zh_frames_lock, flags);
	if (!frame)
		zh_drop();
	return frame;
}

void zh_frame_pop(struct zh_frame *frame)
{
	unsigned long flags;

	if (!frame)
		return;
	spin_lock_irqsave(&zh_frames_lock, flags);
	list_move(&frame->list, &zh_free_frames);
	spin_unlock_irqrestore(&zh_frames_lock, flags);
}

static bool zh_frame_is_mine(const struct zh_frame *frame)
{
	return frame->task == current && frame->start == current->start_boottime;
}

/**
 * zh_frame_top - the innermost path of the current task
 *
 * Return: the frame, which only this task pops, so that it may be used without
 * the lock; or NULL.
 */
struct zh_frame *zh_frame_top(void)
{
	struct zh_frame *frame, *top = NULL;
	unsigned long flags;

	spin_lock_irqsave(&zh_frames_lock, flags);
	list_for_each_entry(frame, &zh_frames, list) {
		if (zh_frame_is_mine(frame)) {
			top = frame;
			break;
		}
	}
	spin_unlock_irqrestore(&zh_frames_lock, flags);
	return top;
}

/* The innermost path of the current task, if it is that one. */
struct zh_frame *zh_frame_on(enum zh_path path)
{
	struct zh_frame *frame = zh_frame_top();

	return frame && frame->path == path ? frame : NULL;
}

/**
 * zh_frame_memcg - the memcg whose LRU the current task walks for us
 *
 * Return: its cgroup's inode, or 0.
 */
u64 zh_frame_memcg(void)
{
	struct zh_frame *frame;
	unsigned long flags;
	u64 memcg = 0;

	spin_lock_irqsave(&zh_frames_lock, flags);
	list_for_each_entry(frame, &zh_frames, list) {
		if (zh_frame_is_mine(frame) && frame->memcg) {
			memcg = frame->memcg;
			break;
		}
	}
	spin_unlock_irqrestore(&zh_frames_lock, flags);
	return memcg;
}

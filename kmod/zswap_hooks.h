/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of zswap_hooks.ko share. */
#ifndef _ZSWAP_HOOKS_MODULE_H
#define _ZSWAP_HOOKS_MODULE_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "uapi/zswap_hooks_uapi.h"

/* In the order in which a path passes its points. */
enum zh_point {
	ZH_WRITEBACK_ISOLATED,
	ZH_WRITEBACK_UNLOCKED,
	ZH_WRITEBACK_PINNED,
	ZH_WRITEBACK_CLAIMED,
	ZH_WRITEBACK_DECOMPRESSED,
	ZH_WRITEBACK_SUBMIT,
	ZH_WRITEBACK_DONE,
	ZH_SWAPOFF_BEGIN,
	ZH_SWAPOFF_UNUSED,
	ZH_SWAPOFF_QUIESCED,
	ZH_SWAPOFF_TREES_FREED,
	ZH_INVALIDATE_ENTER,
	ZH_INVALIDATE_ERASED,
	ZH_INVALIDATE_FREED,
	ZH_LOAD_ENTER,
	ZH_LOAD_ERASED,
	ZH_LOAD_DONE,
	ZH_STORE_ENTER,
	ZH_STORE_PUBLISHED,
	ZH_STORE_DONE,
	/* Not in the patch series: redirected, whichever provider is in use. */
	ZH_STORE_COMPRESSED,
	ZH_NR_HOOKS,
	/* Written to the "mark" file by the actors, around what they do. */
	ZH_WRITEBACK_BEGIN = ZH_NR_HOOKS,
	ZH_WRITEBACK_END,
	ZH_SHRINKER_BEGIN,
	ZH_SHRINKER_END,
	ZH_SWAPOFF_END,
	ZH_INVALIDATE_BEGIN,
	ZH_INVALIDATE_END,
	ZH_LOAD_BEGIN,
	ZH_LOAD_END,
	ZH_STORE_BEGIN,
	ZH_STORE_END,
	ZH_POOL_BEGIN,
	ZH_POOL_END,
	ZH_MEMCG_BEGIN,
	ZH_MEMCG_END,
	ZH_CPU_BEGIN,
	ZH_CPU_END,
	ZH_FORK_BEGIN,
	ZH_FORK_END,
	ZH_NR_POINTS,
};

/* How zswap is made, as far as its functions and its LRU go: designs.c. */
enum zh_design {
	ZH_DESIGN_POOL_LRU,
	ZH_DESIGN_MEMCG_LRU,
};

extern enum zh_design zh_design;

struct zh_point_info {
	const char *name;
	bool may_sleep;
};

extern const struct zh_point_info zh_points[ZH_NR_POINTS];

/* The slot of an event on a path that does not know one. */
#define ZH_NO_SLOT	(~0UL)

/**
 * struct zh_provider - a way to reach the hook points
 * @name: as in the points file and the "provider" parameter
 * @probe: finds what it can reach; called once, before anything else
 * @start: from now on, each reachable point calls zh_hit()
 * @stop: no call to zh_hit() is under way any more when it returns
 * @forget: frees what @probe has kept, or NULL; called once, last
 * @where: where the point is hooked, or NULL if it cannot be reached
 * @why_absent: why not, for a point that zswap's design does have
 */
struct zh_provider {
	const char *name;
	void (*probe)(void);
	int (*start)(void);
	void (*stop)(void);
	void (*forget)(void);
	const char *(*where)(enum zh_point point);
	const char *why_absent;
};

extern const struct zh_provider zh_patch_provider;
extern const struct zh_provider zh_ftrace_provider;

/* What a task is in the middle of. */
enum zh_path {
	ZH_PATH_WALK,		/* our own "writeback" file */
	ZH_PATH_WRITEBACK,
	ZH_PATH_SWAPOFF,
	ZH_PATH_INVALIDATE,
	ZH_PATH_LOAD,
	ZH_PATH_STORE,
};

/**
 * struct zh_frame - a path that a task is on
 * @list: all frames in use, innermost of a task first
 * @task: whose it is
 * @start: when that task started; tells it from a later one at the same address
 * @path: which path
 * @slot: the swap entry's value, or ZH_NO_SLOT
 * @memcg: cgroup inode of a walk, 0 elsewhere
 * @erased: an invalidate found an entry; written and read by @task only
 */
struct zh_frame {
	struct list_head list;
	struct task_struct *task;
	u64 start;
	enum zh_path path;
	unsigned long slot;
	u64 memcg;
	bool erased;
};

struct zh_frame *zh_frame_push(enum zh_path path, unsigned long slot, u64 memcg);
void zh_frame_pop(struct zh_frame *frame);
void zh_frames_init(void);
struct zh_frame *zh_frame_top(void);
struct zh_frame *zh_frame_on(enum zh_path path);
u64 zh_frame_memcg(void);

void zh_hit(enum zh_point point, unsigned long slot, long result);
void zh_drop(void);
u64 zh_hits(enum zh_point point);
bool zh_inject(enum zh_point point, unsigned long slot);
int zh_schedule_init(void);
void zh_schedule_close(void);
void zh_schedule_exit(void);
void zh_stats_show(struct seq_file *m);
void zh_design_show(struct seq_file *m);

extern const struct file_operations zh_schedule_fops;
extern const struct file_operations zh_events_fops;
extern const struct file_operations zh_mark_fops;
extern const struct file_operations zh_inject_fops;
extern const struct file_operations zh_writeback_fops;
extern const struct file_operations zh_lru_fops;

int zh_symbols_init(void);
void *zh_symbol(const char *name);
int zh_design_init(void);
const char *zh_why_absent(enum zh_point point);
int zh_lru_init(void);

int zh_ftrace_inflight(void);
int zh_ftrace_start_beside(void);
const char *zh_ftrace_redirected(enum zh_point point);
void zh_ftrace_stop(void);

static inline void zh_print_slot(struct seq_file *m, unsigned long slot)
{
	swp_entry_t swp = { slot };

	if (slot == ZH_NO_SLOT)
		seq_puts(m, "-");
	else
		seq_printf(m, "%u:%lu", swp_type(swp), swp_offset(swp));
}

#endif /* _ZSWAP_HOOKS_MODULE_H */

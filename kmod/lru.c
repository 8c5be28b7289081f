// SPDX-License-Identifier: GPL-2.0
/*
 * The zswap LRU: a look at it, and a walk of it through the kernel's own
 * callback.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/debugfs.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "zswap_hooks.h"
#include "zswap_layout.h"

/*
 * 6.13 took the lock from the arguments, and what followed changed the functions
 * that are redirected: with their old signatures they must not be.
 */
static_assert(__builtin_types_compatible_p(list_lru_walk_cb,
					   enum lru_status (*)(struct list_head *,
							       struct list_lru_one *,
							       spinlock_t *, void *)),
	      "this module knows zswap up to 6.12: see kmod/README.md");

static struct list_lru *zh_list_lru;
static list_lru_walk_cb zh_shrink_memcg_cb;
static struct mem_cgroup *(*zh_mem_cgroup_iter)(struct mem_cgroup *root,
						struct mem_cgroup *prev,
						void *reclaim);

/**
 * struct zh_snapshot - the entries of one LRU list
 * @nr: how many were copied
 * @max: how many there is room for
 * @entry: their slots, referenced bits and lengths, head first
 */
struct zh_snapshot {
	unsigned long nr;
	unsigned long max;
	struct {
		unsigned long slot;
		unsigned int length;
		bool referenced;
	} entry[];
};

static enum lru_status zh_snapshot_cb(struct list_head *item,
				      struct list_lru_one *list,
				      spinlock_t *lock, void *arg)
{
	struct zh_zswap_entry *entry;
	struct zh_snapshot *snapshot = arg;

	entry = container_of(item, struct zh_zswap_entry, lru);
	if (snapshot->nr == snapshot->max)
		return LRU_SKIP;
	snapshot->entry[snapshot->nr].slot = entry->swpentry.val;
	snapshot->entry[snapshot->nr].length = entry->length;
	snapshot->entry[snapshot->nr].referenced = entry->referenced;
	snapshot->nr++;
	return LRU_SKIP;
}

/*
 * As list_lru_count_one() has it, but that says 0 of a count below 0, which is the
 * mark of an entry that was taken off twice.
 */
static long zh_count_list(struct mem_cgroup *memcg, int nid)
{
	struct list_lru_one *list = &zh_list_lru->node[nid].lru;
	long items;

	rcu_read_lock();
#if defined(CONFIG_MEMCG) && !defined(CONFIG_SLOB)
	if (zh_list_lru->memcg_aware && memcg && memcg_kmem_id(memcg) >= 0) {
		struct list_lru_memcg *lists;

		lists = xa_load(&zh_list_lru->xa, memcg_kmem_id(memcg));
		list = lists ? &lists->node[nid] : NULL;
	}
#endif
	items = list ? READ_ONCE(list->nr_items) : 0;
	rcu_read_unlock();
	return items;
}

static void zh_show_count(struct seq_file *m, struct mem_cgroup *memcg, int nid,
			  long items)
{
	seq_printf(m, "memcg=%lu nid=%d items=%ld\n",
		   memcg ? (unsigned long)cgroup_ino(memcg->css.cgroup) : 0,
		   nid, items);
}

static int zh_show_list(struct seq_file *m, struct mem_cgroup *memcg, int nid)
{
	long items = zh_count_list(memcg, nid);
	unsigned long i, max, to_walk;
	struct zh_snapshot *snapshot;

	if (!ZH_LAYOUT_KNOWN) {
		if (items)
			zh_show_count(m, memcg, nid, items);
		return 0;
	}

	/*
	 * Some room for those that come while we allocate. Walked whatever the
	 * count says: if it is wrong, there may be entries all the same.
	 */
	max = max(items, 0L) + 64;
	snapshot = kvzalloc(struct_size(snapshot, entry, max), GFP_KERNEL);
	if (!snapshot)
		return -ENOMEM;
	snapshot->max = max;
	to_walk = max;
	list_lru_walk_one(zh_list_lru, nid, memcg, zh_snapshot_cb, snapshot,
			  &to_walk);
	if (items || snapshot->nr)
		zh_show_count(m, memcg, nid, items);
	for (i = 0; i < snapshot->nr; i++) {
		zh_print_slot(m, snapshot->entry[i].slot);
		seq_printf(m, " referenced=%d length=%u\n",
			   snapshot->entry[i].referenced,
			   snapshot->entry[i].length);
	}
	kvfree(snapshot);
	return 0;
}

/* Calls what it was given the address of, under a type that is not quite its own. */
static int __nocfi lru_show(struct seq_file *m, void *unused)
{
	struct mem_cgroup *memcg = NULL;
	bool any = false;
	int nid, ret = 0;

	do {
		memcg = zh_mem_cgroup_iter(NULL, memcg, NULL);
		/* No memcg at all stands for the root's list, if there are none. */
		if (!memcg && any)
			break;
		any = true;
		/* Its lists are its parent's, and shown there. */
		if (memcg && !mem_cgroup_online(memcg))
			continue;
		for_each_node_state(nid, N_NORMAL_MEMORY) {
			ret = zh_show_list(m, memcg, nid);
			if (ret)
				break;
		}
		if (ret) {
			mem_cgroup_put(memcg);
			return ret;
		}
	} while (memcg);
	for_each_node_state(nid, N_NORMAL_MEMORY)
		seq_printf(m, "node nid=%d nr_items=%ld\n", nid,
			   (long)READ_ONCE(zh_list_lru->node[nid].nr_items));
	return 0;
}

static int zh_lru_open(struct inode *inode, struct file *file)
{
	return single_open(file, lru_show, NULL);
}

const struct file_operations zh_lru_fops = {
	.owner = THIS_MODULE,
	.open = zh_lru_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * struct zh_walk - what the last write to an open "writeback" file did
 * @walked: entries looked at
 * @isolated: entries written back
 */
struct zh_walk {
	unsigned long walked;
	unsigned long isolated;
};

static int zh_writeback_open(struct inode *inode, struct file *file)
{
	struct zh_walk *walk = kzalloc(sizeof(*walk), GFP_KERNEL);

	file->private_data = walk;
	return walk ? 0 : -ENOMEM;
}

static int zh_writeback_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static struct mem_cgroup *zh_memcg_get(const char *path)
{
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup = cgroup_get_from_path(path);

	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	css = cgroup_get_e_css(cgroup, &memory_cgrp_subsys);
	/* Of a cgroup that is going, or has no memory controller, an ancestor's. */
	if (css->cgroup != cgroup) {
		css_put(css);
		css = NULL;
	}
	cgroup_put(cgroup);
	return css ? mem_cgroup_from_css(css) : ERR_PTR(-ENOENT);
}

/*
 * As shrink_memcg() does it, but for more than one entry, and without its
 * questions whether this memcg may write back: whoever writes here has asked
 * for it. The reference keeps the memcg allocated. If it goes offline meanwhile,
 * its lists are moved to its parent: the walk under way finds nothing under the
 * old index any more and ends, and one of a further node is of the parent's.
 */
static ssize_t zh_writeback_write(struct file *file, const char __user *ubuf,
				  size_t len, loff_t *ppos)
{
	struct zh_walk *walk = file->private_data;
	struct mem_cgroup *memcg;
	struct zh_frame *frame;
	unsigned long count;
	char *buf, *word;
	int nid, ret;

	if (len >= PATH_MAX)
		return -E2BIG;
	buf = memdup_user_nul(ubuf, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	word = strrchr(strim(buf), ' ');
	if (!word || kstrtoul(word + 1, 0, &count) || !count) {
		pr_warn("writeback: \"%s\" is not CGROUP-PATH COUNT\n", buf);
		ret = -EINVAL;
		goto out;
	}
	*word = '\0';
	memcg = zh_memcg_get(strim(buf));
	if (IS_ERR(memcg)) {
		ret = PTR_ERR(memcg);
		pr_warn("writeback: no cgroup \"%s\"\n", buf);
		goto out;
	}

	walk->walked = 0;
	walk->isolated = 0;
	frame = zh_frame_push(ZH_PATH_WALK, ZH_NO_SLOT,
			      cgroup_ino(memcg->css.cgroup));
	for_each_node_state(nid, N_NORMAL_MEMORY) {
		unsigned long to_walk = count;

		walk->isolated += list_lru_walk_one(zh_list_lru, nid, memcg,
						    zh_shrink_memcg_cb, NULL,
						    &to_walk);
		walk->walked += count - to_walk;
	}
	zh_frame_pop(frame);
	mem_cgroup_put(memcg);
	ret = len;
out:
	kfree(buf);
	return ret;
}

static ssize_t zh_writeback_read(struct file *file, char __user *ubuf,
				 size_t len, loff_t *ppos)
{
	struct zh_walk *walk = file->private_data;
	char buf[64];
	int n = scnprintf(buf, sizeof(buf), "walked=%lu isolated=%lu\n",
			  walk->walked, walk->isolated);

	return simple_read_from_buffer(ubuf, len, ppos, buf, n);
}

const struct file_operations zh_writeback_fops = {
	.owner = THIS_MODULE,
	.open = zh_writeback_open,
	.read = zh_writeback_read,
	.write = zh_writeback_write,
	.release = zh_writeback_release,
};

/* Where the pool has the LRU, there are no such files. */
int __init zh_lru_init(void)
{
	if (zh_design != ZH_DESIGN_MEMCG_LRU)
		return 0;
	zh_list_lru = zh_symbol("zswap_list_lru");
	zh_shrink_memcg_cb = zh_symbol("shrink_memcg_cb");
	zh_mem_cgroup_iter = zh_symbol("mem_cgroup_iter");
	if (zh_list_lru && zh_shrink_memcg_cb && zh_mem_cgroup_iter)
		return 0;
	pr_err("not found:%s%s%s\n", zh_list_lru ? "" : " zswap_list_lru",
	       zh_shrink_memcg_cb ? "" : " shrink_memcg_cb",
	       zh_mem_cgroup_iter ? "" : " mem_cgroup_iter");
	return -EOPNOTSUPP;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * zswap_hooks: zswap's writeback and LRU, and the races around them, through
 * debugfs.
 *
 * The files are described in uapi/zswap_hooks_uapi.h. A kernel with
 * CONFIG_ZSWAP_HOOKS has the hook points compiled in (provider "patch"); on any
 * other kernel with dynamic ftrace they are put around its functions (provider
 * "ftrace").
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>

#include "zswap_hooks.h"

static char *provider = "auto";
module_param(provider, charp, 0444);
MODULE_PARM_DESC(provider, "patch, ftrace, or auto (patch where compiled in)");

static const struct zh_provider *const zh_providers[] = {
	&zh_patch_provider,
	&zh_ftrace_provider,
};

static const struct zh_provider *zh_provider;
static struct dentry *zh_dir;

static bool zh_reaches_any(const struct zh_provider *p)
{
	int i;

	for (i = 0; i < ZH_NR_HOOKS; i++)
		if (p->where(i))
			return true;
	return false;
}

static int __init zh_choose_provider(void)
{
	bool any = !strcmp(provider, "auto");
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_providers); i++)
		zh_providers[i]->probe();

	for (i = 0; i < ARRAY_SIZE(zh_providers); i++) {
		const struct zh_provider *p = zh_providers[i];

		if (!any && strcmp(provider, p->name))
			continue;
		if (zh_reaches_any(p)) {
			zh_provider = p;
			return 0;
		}
		if (!any) {
			pr_err("provider=%s reaches no point on this kernel\n",
			       provider);
			return -EOPNOTSUPP;
		}
	}
	pr_err("provider=%s: %s\n", provider,
	       any ? "none reaches any point" : "patch, ftrace or auto");
	return any ? -EOPNOTSUPP : -EINVAL;
}

static int points_show(struct seq_file *m, void *unused)
{
	int i, j;

	for (i = 0; i < ZH_NR_POINTS; i++) {
		bool mark = i >= ZH_NR_HOOKS;
		const char *where = mark ? "mark" : zh_provider->where(i);
		const char *comma = "";

		seq_printf(m, "%s %s %s %llu ", zh_points[i].name,
			   zh_points[i].may_sleep ? "sleep" : "observe",
			   where ? zh_provider->name : "absent", zh_hits(i));
		for (j = 0; j < ARRAY_SIZE(zh_providers); j++) {
			if (!mark && !zh_providers[j]->where(i))
				continue;
			seq_printf(m, "%s%s", comma, zh_providers[j]->name);
			comma = ",";
		}
		seq_printf(m, "%s %s", *comma ? "" : "-", where ?: "-");
		if (!where)
			seq_printf(m, " %s",
				   zh_why_absent(i) ?: zh_provider->why_absent);
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(points);

static int stats_show(struct seq_file *m, void *unused)
{
	zh_stats_show(m);
	seq_printf(m, "inflight %d\n", zh_ftrace_inflight());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int design_show(struct seq_file *m, void *unused)
{
	zh_design_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(design);

static void zh_forget_probes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(zh_providers); i++)
		if (zh_providers[i]->forget)
			zh_providers[i]->forget();
}

static int __init zh_init(void)
{
	int ret;

	ret = zh_symbols_init();
	if (ret)
		return ret;
	ret = zh_design_init();
	if (ret)
		return ret;
	ret = zh_lru_init();
	if (ret)
		return ret;
	zh_frames_init();
	ret = zh_choose_provider();
	if (ret)
		goto err_forget;
	ret = zh_schedule_init();
	if (ret)
		goto err_forget;
	ret = zh_provider->start();
	if (ret)
		goto err_schedule;

	zh_dir = debugfs_create_dir(ZSWAP_HOOKS_DIR, NULL);
	debugfs_create_file("points", 0400, zh_dir, NULL, &points_fops);
	debugfs_create_file("schedule", 0600, zh_dir, NULL, &zh_schedule_fops);
	debugfs_create_file("events", 0600, zh_dir, NULL, &zh_events_fops);
	debugfs_create_file("mark", 0200, zh_dir, NULL, &zh_mark_fops);
	debugfs_create_file("inject", 0600, zh_dir, NULL, &zh_inject_fops);
	if (zh_design == ZH_DESIGN_MEMCG_LRU) {
		debugfs_create_file("writeback", 0600, zh_dir, NULL,
				    &zh_writeback_fops);
		debugfs_create_file("lru", 0400, zh_dir, NULL, &zh_lru_fops);
	}
	debugfs_create_file("stats", 0400, zh_dir, NULL, &stats_fops);
	debugfs_create_file("design", 0400, zh_dir, NULL, &design_fops);
	return 0;

err_schedule:
	zh_schedule_exit();
err_forget:
	zh_forget_probes();
	return ret;
}

static void __exit zh_exit(void)
{
	zh_schedule_close();
	debugfs_remove(zh_dir);
	zh_provider->stop();
	zh_schedule_exit();
	zh_forget_probes();
}

module_init(zh_init);
module_exit(zh_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("zswap writeback and LRU hooks for race testing");

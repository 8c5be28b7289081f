// SPDX-License-Identifier: GPL-2.0
/*
 * Events and ordering constraints: what happens when a task passes a point.
 *
 * One lock covers the record of events and the state of the constraints, so
 * that the order of the record is the order in which the constraints saw it:
 * the hit that ends a hold always stands before the release.
 *
 * The hold itself sleeps. It must: swapoff waits for an RCU grace period
 * before it frees the trees, and a task that spins with preemption off delays
 * that grace period, which closes the very window that the hold is to keep
 * open. TASK_IDLE, because a held task is not a hung one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "zswap_hooks.h"

const struct zh_point_info zh_points[ZH_NR_POINTS] = {
	[ZH_WRITEBACK_ISOLATED]		= { "writeback@isolated", false },
	[ZH_WRITEBACK_UNLOCKED]		= { "writeback@unlocked", true },
	[ZH_WRITEBACK_PINNED]		= { "writeback@pinned", true },
	[ZH_WRITEBACK_CLAIMED]		= { "writeback@claimed", true },
	[ZH_WRITEBACK_DECOMPRESSED]	= { "writeback@decompressed", true },
	[ZH_WRITEBACK_SUBMIT]		= { "writeback@submit", true },
	[ZH_WRITEBACK_DONE]		= { "writeback@done", true },
	[ZH_SWAPOFF_BEGIN]		= { "swapoff@begin", true },
	[ZH_SWAPOFF_UNUSED]		= { "swapoff@unused", true },
	[ZH_SWAPOFF_QUIESCED]		= { "swapoff@quiesced", true },
	[ZH_SWAPOFF_TREES_FREED]	= { "swapoff@trees-freed", true },
	[ZH_INVALIDATE_ENTER]		= { "invalidate@enter", false },
	[ZH_INVALIDATE_ERASED]		= { "invalidate@erased", false },
	[ZH_INVALIDATE_FREED]		= { "invalidate@freed", false },
	[ZH_LOAD_ENTER]			= { "load@enter", true },
	[ZH_LOAD_ERASED]		= { "load@erased", true },
	[ZH_LOAD_DONE]			= { "load@done", true },
	[ZH_STORE_ENTER]		= { "store@enter", true },
	[ZH_STORE_PUBLISHED]		= { "store@published", true },
	[ZH_STORE_DONE]			= { "store@done", true },
	[ZH_STORE_COMPRESSED]		= { "store@compressed", true },
	[ZH_WRITEBACK_BEGIN]		= { "writeback@begin", true },
	[ZH_WRITEBACK_END]		= { "writeback@end", true },
	[ZH_SHRINKER_BEGIN]		= { "shrinker@begin", true },
	[ZH_SHRINKER_END]		= { "shrinker@end", true },
	[ZH_SWAPOFF_END]		= { "swapoff@end", true },
	[ZH_INVALIDATE_BEGIN]		= { "invalidate@begin", true },
	[ZH_INVALIDATE_END]		= { "invalidate@end", true },
	[ZH_LOAD_BEGIN]			= { "load@begin", true },
	[ZH_LOAD_END]			= { "load@end", true },
	[ZH_STORE_BEGIN]		= { "store@begin", true },
	[ZH_STORE_END]			= { "store@end", true },
	[ZH_POOL_BEGIN]			= { "pool@begin", true },
	[ZH_POOL_END]			= { "pool@end", true },
	[ZH_MEMCG_BEGIN]		= { "memcg@begin", true },
	[ZH_MEMCG_END]			= { "memcg@end", true },
	[ZH_CPU_BEGIN]			= { "cpu@begin", true },
	[ZH_CPU_END]			= { "cpu@end", true },
	[ZH_FORK_BEGIN]			= { "fork@begin", true },
	[ZH_FORK_END]			= { "fork@end", true },
};

enum zh_event_kind {
	ZH_EVENT_HIT,
	ZH_EVENT_HOLD,
	ZH_EVENT_RELEASE,
	ZH_EVENT_INJECT,
};

static const char *const zh_event_names[] = {
	"hit", "hold", "release", "inject",
};

struct zh_event {
	u64 ns;
	u64 memcg;
	unsigned long slot;
	long result;
	pid_t pid;
	u16 cpu;
	u8 point;
	u8 kind;
	char comm[TASK_COMM_LEN];
};

enum zh_state {
	ZH_ARMED,
	ZH_HELD,
	ZH_REACHED,
	ZH_TIMEOUT,
	ZH_RELEASED,
	ZH_MISSED,
};

static const char *const zh_state_names[] = {
	"armed", "held", "reached", "timeout", "released", "missed",
};

/**
 * struct zh_constraint - hold one actor at a point until another has passed one
 * @hold: where a task is held
 * @until: what ends the hold
 * @timeout_ms: what else ends it
 * @only_tgid: hold this process only; 0 for any
 * @by_tgid: this process only ends the hold; 0 for any
 * @only_slot: hold on this slot only; ZH_NO_SLOT for any
 * @state: how far it has come
 * @pid: the task that is or was held
 * @comm: its name
 * @slot: the slot that it came with
 * @memcg: whose LRU it walked
 */
struct zh_constraint {
	enum zh_point hold;
	enum zh_point until;
	unsigned int timeout_ms;
	pid_t only_tgid;
	pid_t by_tgid;
	unsigned long only_slot;
	enum zh_state state;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned long slot;
	u64 memcg;
};

/* Protects everything below it but the two counters that are atomic. */
static DEFINE_SPINLOCK(zh_lock);
static struct zh_constraint zh_constraints[ZSWAP_HOOKS_MAX_CONSTRAINTS];
static unsigned int zh_nr_constraints;
static unsigned int zh_nr_sleepers;
static bool zh_closed;
static struct zh_event *zh_events;
static unsigned int zh_nr_events;
static u64 zh_nr_holds, zh_nr_timeouts, zh_nr_refused;

/* Failures still to be injected at the pin, and into whom (0: anybody). */
static unsigned int zh_inject_left;
static pid_t zh_inject_tgid;

/* Without the lock, as are the events that there is no room for. */
static atomic64_t zh_hit_counts[ZH_NR_POINTS];
static atomic64_t zh_nr_dropped;

/* Woken when a hold ends, and when the last sleeper has left. */
static DECLARE_WAIT_QUEUE_HEAD(zh_wait);

u64 zh_hits(enum zh_point point)
{
	return atomic64_read(&zh_hit_counts[point]);
}

/**
 * zh_drop - something has happened that the record will not show
 */
void zh_drop(void)
{
	atomic64_inc(&zh_nr_dropped);
}

static struct zh_event *zh_record(enum zh_point point, enum zh_event_kind kind,
				  unsigned long slot, u64 memcg, long result)
{
	struct zh_event *event;

	lockdep_assert_held(&zh_lock);
	if (zh_nr_events == ZSWAP_HOOKS_MAX_EVENTS) {
		zh_drop();
		return NULL;
	}
	event = &zh_events[zh_nr_events];
	event->ns = ktime_get_mono_fast_ns();
	event->memcg = memcg;
	event->slot = slot;
	event->result = result;
	event->pid = current->pid;
	event->cpu = raw_smp_processor_id();
	event->point = point;
	event->kind = kind;
	memcpy(event->comm, current->comm, TASK_COMM_LEN);
	/* zh_hit() looks whether there is room, without the lock. */
	WRITE_ONCE(zh_nr_events, zh_nr_events + 1);
	return event;
}

static bool zh_is_swapoff(enum zh_point point)
{
	return point >= ZH_SWAPOFF_BEGIN && point <= ZH_SWAPOFF_TREES_FREED;
}

/*
 * swapoff knows its swap type and no offset; at its entry, not even that. So
 * where either of the two is swapoff's, the type has to do.
 */
static bool zh_same_slot(bool by_type, unsigned long slot, unsigned long other)
{
	swp_entry_t a = { slot }, b = { other };

	if (slot == ZH_NO_SLOT || other == ZH_NO_SLOT)
		return true;
	return by_type ? swp_type(a) == swp_type(b) : slot == other;
}

/* The awaited point was passed: ends holds, or comes too early for them. */
static bool zh_pass(enum zh_point point, unsigned long slot)
{
	bool is_swapoff = zh_is_swapoff(point);
	bool wake = false;
	unsigned int i;

	for (i = 0; i < zh_nr_constraints; i++) {
		struct zh_constraint *c = &zh_constraints[i];

		if (c->until != point ||
		    (c->by_tgid && c->by_tgid != current->tgid))
			continue;
		if (c->state == ZH_HELD &&
		    zh_same_slot(is_swapoff || zh_is_swapoff(c->hold), slot,
				 c->slot)) {
			c->state = ZH_REACHED;
			wake = true;
		} else if (c->state == ZH_ARMED &&
			   zh_same_slot(is_swapoff, slot, c->only_slot)) {
			c->state = ZH_MISSED;
		}
	}
	return wake;
}

static struct zh_constraint *zh_find_hold(enum zh_point point,
					  unsigned long slot)
{
	unsigned int i;

	for (i = 0; i < zh_nr_constraints; i++) {
		struct zh_constraint *c = &zh_constraints[i];

		if (c->hold == point && c->state == ZH_ARMED &&
		    (!c->only_tgid || c->only_tgid == current->tgid) &&
		    zh_same_slot(zh_is_swapoff(point), slot, c->only_slot))
			return c;
	}
	return NULL;
}

/*
 * The point's place says that it may sleep; the caller of that path may have
 * taken a lock all the same. Where the kernel can tell, ask it.
 */
static bool zh_can_sleep(void)
{
	if (irqs_disabled() || rcu_preempt_depth())
		return false;
	/* Without CONFIG_PREEMPT_COUNT it still tells of interrupt context. */
	return !preempt_count();
}

static long zh_release_result(enum zh_state state)
{
	switch (state) {
	case ZH_REACHED:
		return 0;
	case ZH_TIMEOUT:
		return -ETIME;
	default:
		return -ECANCELED;
	}
}

static void zh_sleep(struct zh_constraint *c)
{
	unsigned long flags;

	wait_event_idle_timeout(zh_wait, READ_ONCE(c->state) != ZH_HELD,
				msecs_to_jiffies(c->timeout_ms));

	spin_lock_irqsave(&zh_lock, flags);
	if (c->state == ZH_HELD) {
		c->state = ZH_TIMEOUT;
		zh_nr_timeouts++;
	}
	/* Of a release it stands in the record since then. */
	if (c->state != ZH_RELEASED)
		zh_record(c->hold, ZH_EVENT_RELEASE, c->slot, c->memcg,
			  zh_release_result(c->state));
	zh_nr_sleepers--;
	spin_unlock_irqrestore(&zh_lock, flags);
	wake_up_all(&zh_wait);
}

/**
 * zh_hit - the current task passes a hook point
 * @point: which
 * @slot: the swap entry's value, or ZH_NO_SLOT
 * @result: the path's result at a "done" point
 *
 * Takes note, lets go whom the schedule made wait for this, and holds the task
 * if the schedule names it. Looks at no object of zswap's: at and after
 * writeback@unlocked the entry may be freed already.
 *
 * Context: any but NMI. Sleeps only if the schedule holds the task, at a point
 * where the catalogue allows it.
 */
void zh_hit(enum zh_point point, unsigned long slot, long result)
{
	struct zh_constraint *c = NULL;
	bool can_sleep = zh_points[point].may_sleep && zh_can_sleep();
	unsigned long flags;
	bool wake;
	u64 memcg;

	atomic64_inc(&zh_hit_counts[point]);

	/*
	 * Nobody waits, and there is no room to take note: a stress is not to
	 * have its tasks meet at a lock of ours.
	 */
	if (READ_ONCE(zh_nr_events) == ZSWAP_HOOKS_MAX_EVENTS &&
	    !READ_ONCE(zh_nr_constraints)) {
		zh_drop();
		return;
	}

	memcg = zh_frame_memcg();
	spin_lock_irqsave(&zh_lock, flags);
	zh_record(point, ZH_EVENT_HIT, slot, memcg, result);
	wake = zh_pass(point, slot);
	if (!zh_closed)
		c = zh_find_hold(point, slot);
	if (c && !can_sleep) {
		zh_nr_refused++;
		c = NULL;
	}
	if (c) {
		c->state = ZH_HELD;
		c->pid = current->pid;
		memcpy(c->comm, current->comm, TASK_COMM_LEN);
		c->slot = slot;
		c->memcg = memcg;
		zh_nr_sleepers++;
		zh_nr_holds++;
		zh_record(point, ZH_EVENT_HOLD, slot, memcg, 0);
	}
	spin_unlock_irqrestore(&zh_lock, flags);

	if (wake)
		wake_up_all(&zh_wait);
	if (c)
		zh_sleep(c);
}

/**
 * zh_inject - shall what follows fail?
 * @point: where a failure may be asked for
 * @slot: of this swap entry
 *
 * Takes note of each failure that it asks for.
 *
 * Return: true if the caller is to behave as if there were no memory.
 */
bool zh_inject(enum zh_point point, unsigned long slot)
{
	unsigned long flags;
	u64 memcg;
	bool fail;

	if (!READ_ONCE(zh_inject_left))
		return false;

	memcg = zh_frame_memcg();
	spin_lock_irqsave(&zh_lock, flags);
	fail = zh_inject_left &&
	       (!zh_inject_tgid || zh_inject_tgid == current->tgid);
	if (fail) {
		WRITE_ONCE(zh_inject_left, zh_inject_left - 1);
		zh_record(point, ZH_EVENT_INJECT, slot, memcg, -ENOMEM);
	}
	spin_unlock_irqrestore(&zh_lock, flags);
	return fail;
}

/*
 * Takes note here, and not when the task comes to run: a hit of the awaited
 * point before that would stand before the release, and has ended no hold.
 */
static void zh_release_locked(void)
{
	unsigned int i;

	lockdep_assert_held(&zh_lock);
	for (i = 0; i < zh_nr_constraints; i++) {
		struct zh_constraint *c = &zh_constraints[i];
		struct zh_event *event;

		if (c->state == ZH_HELD) {
			event = zh_record(c->hold, ZH_EVENT_RELEASE, c->slot,
					  c->memcg, -ECANCELED);
			if (event) {
				event->pid = c->pid;
				memcpy(event->comm, c->comm, TASK_COMM_LEN);
			}
		}
		if (c->state == ZH_HELD || c->state == ZH_ARMED)
			c->state = ZH_RELEASED;
	}
}

static void zh_release(void)
{
	spin_lock_irq(&zh_lock);
	zh_release_locked();
	spin_unlock_irq(&zh_lock);
	wake_up_all(&zh_wait);
}

static bool zh_no_sleepers(void)
{
	bool none;

	spin_lock_irq(&zh_lock);
	none = !zh_nr_sleepers;
	spin_unlock_irq(&zh_lock);
	return none;
}

static int zh_clear(void)
{
	int ret;

	zh_release();
	ret = wait_event_killable(zh_wait, zh_no_sleepers());
	if (ret)
		return ret;
	spin_lock_irq(&zh_lock);
	/* A constraint written meanwhile, and held again, stays. */
	if (!zh_nr_sleepers)
		WRITE_ONCE(zh_nr_constraints, 0);
	spin_unlock_irq(&zh_lock);
	return 0;
}

static int zh_find_point(const char *name)
{
	int i;

	for (i = 0; i < ZH_NR_POINTS; i++)
		if (!strcmp(zh_points[i].name, name))
			return i;
	return -ENOENT;
}

static int zh_parse_timeout(const char *text, unsigned int *timeout_ms)
{
	int ret = kstrtouint(text, 10, timeout_ms);

	if (!ret && (!*timeout_ms || *timeout_ms > ZSWAP_HOOKS_MAX_TIMEOUT_MS))
		ret = -EINVAL;
	if (ret)
		pr_warn("schedule: timeout is 1 to %u ms\n",
			ZSWAP_HOOKS_MAX_TIMEOUT_MS);
	return ret ? -EINVAL : 0;
}

static int zh_parse_tgid(const char *text, pid_t *tgid)
{
	return kstrtoint(text, 10, tgid) || *tgid <= 0 ? -EINVAL : 0;
}

/* TYPE:OFFSET, which an entry has room for. */
static int zh_parse_slot(char *text, unsigned long *slot)
{
	char *offset_text = strchr(text, ':');
	unsigned long offset;
	unsigned int type;

	if (!offset_text)
		return -EINVAL;
	*offset_text++ = '\0';
	if (kstrtouint(text, 10, &type) || type >= MAX_SWAPFILES ||
	    kstrtoul(offset_text, 10, &offset) ||
	    swp_offset(swp_entry(type, offset)) != offset)
		return -EINVAL;
	*slot = swp_entry(type, offset).val;
	return 0;
}

static int zh_parse_option(struct zh_constraint *c, char *word)
{
	char *value = strchr(word, '=');
	int ret = -EINVAL;

	/* kstrto*() and no sscanf(), which takes what does not fit modulo 2^32. */
	if (value) {
		*value++ = '\0';
		if (!strcmp(word, "timeout"))
			ret = zh_parse_timeout(value, &c->timeout_ms);
		else if (!strcmp(word, "pid"))
			ret = zh_parse_tgid(value, &c->only_tgid);
		else if (!strcmp(word, "by"))
			ret = zh_parse_tgid(value, &c->by_tgid);
		else if (!strcmp(word, "slot"))
			ret = zh_parse_slot(value, &c->only_slot);
	}
	if (ret)
		pr_warn("schedule: no option \"%s\", or not with \"%s\"\n", word,
			value ?: "");
	return ret;
}

static int zh_parse_constraint(struct zh_constraint *c, char *line)
{
	char *hold, *until, *word, *gt = strchr(line, '>');
	int ret;

	if (!gt) {
		pr_warn("schedule: \"%s\" is not POINT > POINT\n", line);
		return -EINVAL;
	}
	*gt = '\0';
	hold = strim(line);
	line = skip_spaces(gt + 1);
	until = strsep(&line, " \t");

	*c = (struct zh_constraint) {
		.timeout_ms = ZSWAP_HOOKS_DEFAULT_TIMEOUT_MS,
		.only_slot = ZH_NO_SLOT,
		.slot = ZH_NO_SLOT,
		.state = ZH_ARMED,
	};
	ret = zh_find_point(hold);
	if (ret < 0) {
		pr_warn("schedule: no point \"%s\"\n", hold);
		return -EINVAL;
	}
	c->hold = ret;
	ret = zh_find_point(until);
	if (ret < 0) {
		pr_warn("schedule: no point \"%s\"\n", until);
		return -EINVAL;
	}
	c->until = ret;
	if (!zh_points[c->hold].may_sleep) {
		pr_warn("schedule: %s can only be observed\n", hold);
		return -EINVAL;
	}
	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		ret = zh_parse_option(c, word);
		if (ret)
			return ret;
	}
	return 0;
}

/* All of them are armed, or none: a part of a schedule is another one. */
static int zh_arm(char *lines)
{
	struct zh_constraint parsed[ZSWAP_HOOKS_MAX_CONSTRAINTS];
	unsigned int nr = 0;
	char *line;
	int ret = 0;

	while (!ret && (line = strsep(&lines, "\n"))) {
		line = strim(line);
		if (!*line)
			continue;
		if (nr < ZSWAP_HOOKS_MAX_CONSTRAINTS)
			ret = zh_parse_constraint(&parsed[nr++], line);
		else
			ret = -ENOSPC;
	}
	if (!ret) {
		spin_lock_irq(&zh_lock);
		if (zh_nr_constraints + nr > ZSWAP_HOOKS_MAX_CONSTRAINTS) {
			ret = -ENOSPC;
		} else {
			memcpy(&zh_constraints[zh_nr_constraints], parsed,
			       nr * sizeof(*parsed));
			WRITE_ONCE(zh_nr_constraints, zh_nr_constraints + nr);
		}
		spin_unlock_irq(&zh_lock);
	}
	if (ret == -ENOSPC)
		pr_warn("schedule: more than %u constraints\n",
			ZSWAP_HOOKS_MAX_CONSTRAINTS);
	return ret;
}

static ssize_t zh_schedule_write(struct file *file, const char __user *ubuf,
				 size_t len, loff_t *ppos)
{
	char *buf, *text;
	int ret = 0;

	if (len > PAGE_SIZE)
		return -E2BIG;
	buf = memdup_user_nul(ubuf, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	text = strim(buf);
	if (!strcmp(text, "clear"))
		ret = zh_clear();
	else if (!strcmp(text, "release"))
		zh_release();
	else
		ret = zh_arm(text);
	kfree(buf);
	return ret ? ret : len;
}

static int zh_schedule_show(struct seq_file *m, void *unused)
{
	struct zh_constraint copy[ZSWAP_HOOKS_MAX_CONSTRAINTS];
	unsigned int i, nr;

	spin_lock_irq(&zh_lock);
	nr = zh_nr_constraints;
	memcpy(copy, zh_constraints, nr * sizeof(*copy));
	spin_unlock_irq(&zh_lock);

	for (i = 0; i < nr; i++) {
		seq_printf(m, "%s > %s %s pid=%d slot=",
			   zh_points[copy[i].hold].name,
			   zh_points[copy[i].until].name,
			   zh_state_names[copy[i].state], copy[i].pid);
		zh_print_slot(m, copy[i].slot);
		seq_putc(m, '\n');
	}
	return 0;
}

static int zh_schedule_open(struct inode *inode, struct file *file)
{
	return single_open(file, zh_schedule_show, NULL);
}

const struct file_operations zh_schedule_fops = {
	.owner = THIS_MODULE,
	.open = zh_schedule_open,
	.read = seq_read,
	.write = zh_schedule_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t zh_mark_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *ppos)
{
	char buf[48], *word, *rest = buf;
	long result = 0;
	int point;

	if (len >= sizeof(buf))
		return -E2BIG;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';
	strim(buf);
	word = strsep(&rest, " ");
	point = zh_find_point(word);
	if (point < ZH_NR_HOOKS || (rest && kstrtol(rest, 0, &result))) {
		pr_warn("mark: \"%s\" is not MARK [RESULT]\n", word);
		return -EINVAL;
	}
	zh_hit(point, ZH_NO_SLOT, result);
	return len;
}

const struct file_operations zh_mark_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = zh_mark_write,
};

static ssize_t zh_inject_write(struct file *file, const char __user *ubuf,
			       size_t len, loff_t *ppos)
{
	const char *point = zh_points[ZH_WRITEBACK_PINNED].name;
	char buf[64], *word, *rest = buf;
	unsigned int left = 0;
	pid_t tgid = 0;
	int ret = 0;

	if (len >= sizeof(buf))
		return -E2BIG;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';
	strim(buf);
	word = strsep(&rest, " ");
	if (strcmp(word, "clear") || rest) {
		if (strcmp(word, point) || !rest ||
		    kstrtouint(strsep(&rest, " "), 10, &left))
			ret = -EINVAL;
		else if (rest && (!str_has_prefix(rest, "pid=") ||
				  zh_parse_tgid(rest + strlen("pid="), &tgid)))
			ret = -EINVAL;
	}
	if (ret) {
		pr_warn("inject: not %s COUNT [pid=TGID], or clear\n", point);
		return ret;
	}
	spin_lock_irq(&zh_lock);
	WRITE_ONCE(zh_inject_left, left);
	zh_inject_tgid = tgid;
	spin_unlock_irq(&zh_lock);
	return len;
}

static int zh_inject_show(struct seq_file *m, void *unused)
{
	spin_lock_irq(&zh_lock);
	seq_printf(m, "%s %u pid=%d\n", zh_points[ZH_WRITEBACK_PINNED].name,
		   zh_inject_left, zh_inject_tgid);
	spin_unlock_irq(&zh_lock);
	return 0;
}

static int zh_inject_open(struct inode *inode, struct file *file)
{
	return single_open(file, zh_inject_show, NULL);
}

const struct file_operations zh_inject_fops = {
	.owner = THIS_MODULE,
	.open = zh_inject_open,
	.read = seq_read,
	.write = zh_inject_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* Events: the index is the sequence number, as the record only grows. */
static void *zh_events_start(struct seq_file *m, loff_t *pos)
{
	/* 0 is the header; event i is i + 1. */
	if (*pos > READ_ONCE(zh_nr_events))
		return NULL;
	return pos;
}

static void *zh_events_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return zh_events_start(m, pos);
}

static void zh_events_stop(struct seq_file *m, void *v)
{
}

static int zh_events_show(struct seq_file *m, void *v)
{
	loff_t pos = *(loff_t *)v;
	struct zh_event event;
	u64 dropped;
	char *p;

	spin_lock_irq(&zh_lock);
	dropped = atomic64_read(&zh_nr_dropped);
	if (pos && pos <= zh_nr_events)
		event = zh_events[pos - 1];
	else if (pos)
		pos = -1;
	spin_unlock_irq(&zh_lock);

	if (!pos) {
		seq_printf(m, "dropped %llu\n", dropped);
		return 0;
	}
	if (pos < 0)
		return SEQ_SKIP;
	for (p = event.comm; *p; p++)
		if (isspace(*p))
			*p = '_';
	seq_printf(m, "%lld %llu %u %d %s %s %s ", pos - 1, event.ns, event.cpu,
		   event.pid, event.comm, zh_points[event.point].name,
		   zh_event_names[event.kind]);
	zh_print_slot(m, event.slot);
	if (event.memcg)
		seq_printf(m, " %llu", event.memcg);
	else
		seq_puts(m, " -");
	seq_printf(m, " %ld\n", event.result);
	return 0;
}

static const struct seq_operations zh_events_seq_ops = {
	.start = zh_events_start,
	.next = zh_events_next,
	.stop = zh_events_stop,
	.show = zh_events_show,
};

static int zh_events_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &zh_events_seq_ops);
}

static ssize_t zh_events_write(struct file *file, const char __user *ubuf,
			       size_t len, loff_t *ppos)
{
	spin_lock_irq(&zh_lock);
	WRITE_ONCE(zh_nr_events, 0);
	atomic64_set(&zh_nr_dropped, 0);
	spin_unlock_irq(&zh_lock);
	return len;
}

const struct file_operations zh_events_fops = {
	.owner = THIS_MODULE,
	.open = zh_events_open,
	.read = seq_read,
	.write = zh_events_write,
	.llseek = seq_lseek,
	.release = seq_release,
};

void zh_stats_show(struct seq_file *m)
{
	spin_lock_irq(&zh_lock);
	seq_printf(m, "held %u\n", zh_nr_sleepers);
	seq_printf(m, "holds %llu\n", zh_nr_holds);
	seq_printf(m, "timeouts %llu\n", zh_nr_timeouts);
	seq_printf(m, "refused %llu\n", zh_nr_refused);
	seq_printf(m, "events %u\n", zh_nr_events);
	seq_printf(m, "dropped %lld\n", atomic64_read(&zh_nr_dropped));
	spin_unlock_irq(&zh_lock);
}

int __init zh_schedule_init(void)
{
	zh_events = vcalloc(ZSWAP_HOOKS_MAX_EVENTS, sizeof(*zh_events));
	return zh_events ? 0 : -ENOMEM;
}

/**
 * zh_schedule_close - let every held task go on, and hold none from now on
 *
 * Comes first on unload: a provider cannot stop while a task sleeps in it.
 */
void zh_schedule_close(void)
{
	spin_lock_irq(&zh_lock);
	zh_closed = true;
	zh_release_locked();
	spin_unlock_irq(&zh_lock);
	wake_up_all(&zh_wait);
}

/* After the provider has stopped: nobody records any more. */
void zh_schedule_exit(void)
{
	vfree(zh_events);
}

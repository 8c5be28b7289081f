/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The debugfs interface of zswap_hooks, shared by the module and its users.
 * All files are text and stand in /sys/kernel/debug/zswap_hooks/.
 *
 * points (read)
 *	A line for each hook point:
 *	  POINT sleep|observe PROVIDER HITS AVAILABLE WHERE [WHY]
 *	PROVIDER is the one in use, or "absent"; AVAILABLE lists those that could
 *	reach the point on this kernel ("patch,ftrace"), or "-"; WHERE is the
 *	function redirected, "compiled-in", or "-". At an absent point, the rest of
 *	the line says why it is.
 *
 * schedule (read, write)
 *	A write is one of
 *	  POINT > POINT [timeout=MS] [pid=TGID] [by=TGID] [slot=TYPE:OFFSET]
 *		hold the first task that comes to the left point until the right
 *		point has been passed (by a path on the same slot, or on the same
 *		swap type where either is swapoff's); at most
 *		ZSWAP_HOOKS_MAX_CONSTRAINTS. With pid or slot, only that process
 *		or that slot is held; with by, only that process ends the hold.
 *		Several may be written at once, a line for each: all are armed,
 *		or none.
 *	  release
 *		let every held task go on, and hold no other.
 *	  clear
 *		the same, and forget all constraints.
 *	Read gives a line for each constraint:
 *	  POINT > POINT STATE pid=TID slot=TYPE:OFFSET|-
 *	where STATE is armed, held, reached, timeout, released or missed, and the
 *	rest tells the task that is or was held (pid=0: none).
 *
 * events (read, write)
 *	Read gives "dropped N", then a line for each event, oldest first:
 *	  SEQ NS CPU TID COMM POINT KIND TYPE:OFFSET|- MEMCG|- RESULT
 *	KIND is hit, hold, release, or inject (a failure was injected here).
 *	MEMCG is the cgroup's inode where a walk by the "writeback" file is under
 *	way. RESULT is the path's at a "done" point; at a release it is 0 (the
 *	awaited point was passed), -ETIME (timeout) or -ECANCELED. White space in
 *	COMM is printed as "_". Any write forgets all events.
 *
 * mark (write)
 *	Write "MARK [RESULT]": the writing task passes one of the points that no
 *	provider reaches, which say what an actor does in user space: those that
 *	the points file has at "mark". No lock is held there, so the writing task
 *	may be held at any of them.
 *
 * inject (read, write)
 *	Write "writeback@pinned COUNT [pid=TGID]": the next COUNT allocations of
 *	writeback's folio fail (of that process only), as if there were no memory;
 *	"clear" forgets it. Read gives what is left, in the same form.
 *
 * writeback (write, then read from the same file descriptor; like lru, only
 * where zswap has an LRU for each memcg)
 *	Write "CGROUP-PATH COUNT": walk at most COUNT entries a node of that
 *	cgroup's zswap LRU through the kernel's own shrink_memcg_cb(). An entry
 *	with its referenced bit set only loses it, as in any reclaim. Read gives
 *	  walked=N isolated=N
 *
 * lru (read)
 *	For each memcg and node that has entries, or a count other than 0:
 *	  memcg=INODE nid=N items=N
 *	with the list's own count, which a bug may have taken below 0. Then, where
 *	the module knows the layout of struct zswap_entry, each entry from head
 *	(next to be reclaimed) to tail:
 *	  TYPE:OFFSET referenced=0|1 length=BYTES
 *	Last, a line for each node:
 *	  node nid=N nr_items=N
 *	whose figure drifts on sound kernels: list_lru_del() and
 *	__list_lru_walk_one() both decrement it for an entry written back.
 *
 * design (read)
 *	lru=memcg|pool context=cpu|pool second-chance=yes|no
 *	Whose the LRU is, with what request and buffer of a CPU are freed, and
 *	whether an entry has a referenced bit, for which a walk passes it over once.
 *
 * stats (read)
 *	"NAME VALUE" lines: held, inflight, holds, timeouts, refused, events,
 *	dropped.
 *
 * Bad input is -EINVAL, and a line in the kernel log says why. Input that is too
 * long is -E2BIG, too many constraints are -ENOSPC, and a cgroup that is not
 * there is what its lookup says, mostly -ENOENT.
 */
#ifndef _UAPI_ZSWAP_HOOKS_H
#define _UAPI_ZSWAP_HOOKS_H

#define ZSWAP_HOOKS_DIR			"zswap_hooks"
#define ZSWAP_HOOKS_MAX_CONSTRAINTS	16
#define ZSWAP_HOOKS_MAX_EVENTS		16384
#define ZSWAP_HOOKS_DEFAULT_TIMEOUT_MS	20000
#define ZSWAP_HOOKS_MAX_TIMEOUT_MS	600000

#endif /* _UAPI_ZSWAP_HOOKS_H */

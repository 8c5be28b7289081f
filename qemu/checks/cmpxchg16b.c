// SPDX-License-Identifier: Apache-2.0
/*
 * The flags after cmpxchg16b, as the init of a guest; scripts/cmpxchg16b.sh boots it.
 *
 * The instruction sets ZF and leaves all others alone. QEMU 7.2's helper computes those from
 * env->cc_op, which its translator does not bring up to date before the call. Where the block
 * has come in with CC_OP_EFLAGS, as after popfq, and has computed something since, they are
 * the source operand of that: here, of a subtraction.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

static struct {
	uint64_t low, high;
} __attribute__((aligned(16))) pair;

static uint64_t flags_after(uint64_t operand)
{
	uint64_t flags;

	/* The jump begins a block, so that the translator knows nothing of the flags. */
	asm volatile("pushfq\n"
		     "popfq\n"
		     "jmp 1f\n"
		     "1: xorl %%eax, %%eax\n"
		     "xorl %%edx, %%edx\n"
		     "xorl %%ebx, %%ebx\n"
		     "xorl %%ecx, %%ecx\n"
		     "subq %2, %%rsi\n"
		     "lock cmpxchg16b %1\n"
		     "pushfq\n"
		     "popq %0"
		     : "=&r"(flags), "+m"(pair)
		     : "r"(operand)
		     : "rax", "rbx", "rcx", "rdx", "rsi", "cc", "memory");
	return flags;
}

int main(void)
{
	for (uint64_t operand = 0x1fdc1780; operand < 0x1fdc1783; operand++)
		printf("cmpxchg16b after a subtraction of %#llx: EFLAGS %08llx\n",
		       (unsigned long long)operand,
		       (unsigned long long)flags_after(operand));
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}

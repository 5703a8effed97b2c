// SPDX-License-Identifier: MIT
/*
 * A control group whose memory is all in use.
 *
 * The process must be in the group of vk_account_enter(), alone.  The OOM
 * killer is told to spare it, as it is told of display servers: what needs
 * more memory than the group has then fails, instead of killing.  The process
 * stays on one CPU from then on, as each CPU has some charged memory at hand.
 *
 * Traps: a page fault without memory is tried again for ever, so all that is
 * mapped by then is locked, and who calls vk_full_begin() makes the calls of
 * interest once before it, that they have touched what they need.  Pages alone
 * do not fill a group: kernel objects smaller than a page find room in what is
 * left of their last one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "vk_account.h"
#include "vk_full.h"
#include "vk_test.h"

/* Bytes that the process may use beyond what it has, and can try to use */
#define ROOM		VK_FULL_ROOM
#define MOST		(2 * ROOM)

/* What reclaim takes from slab caches is there some time later. */
#define QUIET_ROUNDS	4
#define ROUND_US	50000

#define SPARED		"/proc/self/oom_score_adj"

/* Return: were there pages left? */
static bool fill_more(struct vk_full *full)
{
	u64 before = full->size;

	while (full->size < MOST &&
	       !mlock(full->pages + full->size, VK_PAGE))
		full->size += VK_PAGE;
	if (full->size == MOST)
		vk_fail("a limit of %llu KiB did not stop %llu KiB",
			vk_llu(ROOM >> 10), vk_llu(MOST >> 10));
	if (errno != EAGAIN && errno != ENOMEM)
		vk_fail("cannot lock memory: %s", strerror(errno));
	return full->size > before;
}

static void fill_pages(struct vk_full *full)
{
	int quiet = 0;

	full->size = 0;
	full->pages = mmap(NULL, MOST, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (full->pages == MAP_FAILED)
		vk_fail("no addresses: %s", strerror(errno));
	while (quiet < QUIET_ROUNDS) {
		quiet = fill_more(full) ? 0 : quiet + 1;
		usleep(ROUND_US);
	}
}

static void fill_bytes(struct vk_full *full)
{
	int fd;

	for (full->count = 0; full->count < VK_FULL_FILES; full->count++) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOMEM)
			return;
		if (fd < 0)
			vk_fail("cannot open /dev/null: %s", strerror(errno));
		full->files[full->count] = fd;
	}
	vk_fail("%d files are open where no memory is left", VK_FULL_FILES);
}

/* The process may use so much more, and is not killed when it wants yet more. */
void vk_full_limit(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) ||
	    !vk_write(SPARED, "-1000") || mlockall(MCL_CURRENT))
		vk_fail("cannot keep what it has: %s", strerror(errno));
	vk_account_limit(ROOM);
}

/* From now on the process gets no memory, not even a few bytes. */
void vk_full_begin(struct vk_full *full)
{
	vk_full_limit();
	fill_pages(full);
	fill_bytes(full);
}

/* The limit stays, with ROOM to use. */
void vk_full_end(struct vk_full *full)
{
	while (full->count)
		close(full->files[--full->count]);
	munmap(full->pages, MOST);
	munlockall();
	vk_write(SPARED, "0");
}

// SPDX-License-Identifier: MIT
/*
 * Devices that come and go, die, starve, or have bad neighbours.
 *
 * What must hold: a device leaves nothing behind in the kernel, however it
 * ended; a process that hangs the GPU loses its own device and no other; lack
 * of memory is an error, or a lost device where turnip has no other word for
 * it, and no more; kernel and turnip have the same idea of what is mapped.
 *
 * Terms: a client is a child process with a device of its own.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "vk_account.h"
#include "vk_full.h"
#include "vk_ioctl.h"
#include "vk_sparse.h"
#include "vm_log.h"

#define WARM_ROUNDS	20
#define ROUNDS		200
#define WARM_KILLS	10
#define KILLS		20

/* Bytes that may be in use more after ROUNDS: less than a VMA for each round */
#define SLACK		(ROUNDS * 128)

/*
 * Bytes of page tables that a huge buffer needs, 8 for each page of it, and
 * those that it may have
 */
#define HUGE_TABLES	(64ull << 20)
#define HUGE_LIMIT	(48ull << 20)

/* A sparse buffer, from its creation to its end */
static void use(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 16, SPARSE_ALIASED);
	memory = sparse_memory(&sparse, 8);
	sparse_add(&sparse, 0, memory, 0, 8);
	sparse_add(&sparse, 10, memory, 2, 4);
	sparse_commit(&sparse);
	sparse_fill(&sparse, VK_PAGE, 12 * VK_PAGE, 0x5a5a5a5a);
	sparse_expect(&sparse, "bound and written");
	sparse_close(&sparse);
}

/* A client's whole life */
static void live(void)
{
	struct vk_dev vk = {};

	vk_dev_open(&vk);
	use(&vk);
	vk_dev_close(&vk);
}

/* A device that comes, binds memory and goes; that of the test stays. */
static void come_and_go(const struct vk_dev *vk)
{
	VkSparseMemoryBind bind = { .size = VK_PAGE };
	struct vk_dev own = *vk;
	struct vk_memory memory;
	VkBuffer buffer;

	vk_dev_again(&own);
	memory = vk_memory_new(&own, 4 * VK_PAGE);
	buffer = vk_buffer_handle(&own, 64 * VK_PAGE, SPARSE_RESIDENCY);
	bind.memory = memory.handle;
	vk_bind_sparse(&own, buffer, &bind, 1);
	vk_wait(&own);
	vk_begin(&own);
	vkCmdFillBuffer(own.cmd, buffer, 0, VK_WHOLE_SIZE, 0x5a5a5a5a);
	vk_submit(&own);
	vkDestroyBuffer(own.dev, buffer, NULL);
	vk_memory_free(&own, &memory);
	vk_dev_gone(&own);
}

static void rounds_200(struct vk_dev *vk)
{
	struct vk_account before;

	vk_account_enter();
	for (int round = 0; round < WARM_ROUNDS; round++)
		come_and_go(vk);
	vk_account_read(&before);
	for (int round = 0; round < ROUNDS; round++)
		come_and_go(vk);
	vk_account_settle(&before, SLACK);
	/* The device that was there all the time still works. */
	vk_begin(vk);
	vk_submit(vk);
}

/* Submit and bind without end and without waiting much. */
static void busy(int ready)
{
	struct sparse_memory *memory;
	struct sparse sparse;
	struct vk_dev vk = {};

	vk_dev_open(&vk);
	sparse_open(&sparse, &vk, 64, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, 64);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (u32 i = 0;; i++) {
		u32 at = i * 7 % 48;

		sparse_bind(&sparse, at, i & 1 ? memory : NULL, at, 16);
		sparse_fill(&sparse, 0, 64 * VK_PAGE, i);
	}
}

/* SIGKILL at any moment of a client's work */
static void kill_one(u32 after_us)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	if (pipe(ready))
		vk_fail("no pipe");
	pid = fork();
	if (!pid)
		busy(ready[1]);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		vk_fail("a client did not come up");
	close(ready[0]);
	usleep(after_us);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		vk_fail("a client ended before it was killed");
}

static void killed(struct vk_dev *vk)
{
	struct vk_account before;
	u32 state = 4711;

	vk_account_enter();
	for (int i = 0; i < WARM_KILLS + KILLS; i++) {
		if (i == WARM_KILLS)
			vk_account_read(&before);
		kill_one(vk_random(&state) % 60000);
	}
	vk_account_settle(&before, KILLS * 2048);
	live();
	vk_begin(vk);
	vk_submit(vk);
}

/* A client that hangs the GPU; Return: its exit status */
static int hang(void)
{
	const VkEventCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
	};
	struct vk_dev vk = {};
	VkEvent event;

	vk_dev_open(&vk);
	vk_ok(vkCreateEvent(vk.dev, &info, NULL, &event));
	vk_begin(&vk);
	vkCmdWaitEvents(vk.cmd, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL, 0,
			NULL);
	return vk_submit_try(&vk) == VK_ERROR_DEVICE_LOST ? 0 : 1;
}

/* Only the client that hangs the GPU loses its device. */
static void neighbours(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;
	int status = -1, after = 0;
	u32 round = 0;
	pid_t pid;

	sparse_open(&sparse, vk, 16, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, 16);
	pid = fork();
	if (!pid)
		_exit(hang());
	/* Some rounds more when the other has gone */
	while (after < 3) {
		u64 at = round % 12;

		sparse_bind(&sparse, at, round & 1 ? NULL : memory, at, 4);
		sparse_fill(&sparse, 0, 16 * VK_PAGE, ++round);
		sparse_expect(&sparse, "next to a process that hangs the GPU");
		if (after || waitpid(pid, &status, WNOHANG) == pid)
			after++;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		vk_fail("the process that hung the GPU has its device still");
	sparse_close(&sparse);
}

/* Create and destroy a buffer whose page tables take HUGE_TABLES. */
static VkResult huge_try(struct vk_dev *vk)
{
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.flags = SPARSE_RESIDENCY, .size = HUGE_TABLES / 8 * VK_PAGE,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer;
	VkResult result;

	result = vkCreateBuffer(vk->dev, &info, NULL, &buffer);
	if (result == VK_SUCCESS)
		vkDestroyBuffer(vk->dev, buffer, NULL);
	return result;
}

/* The page tables stay until their device goes, so it is not the test's. */
static void huge_fits(const struct vk_dev *vk)
{
	struct vk_account before;
	struct vk_dev own = *vk;

	vk_account_read(&before);
	vk_dev_again(&own);
	vk_ok(huge_try(&own));
	vk_dev_gone(&own);
	vk_account_settle(&before, HUGE_TABLES / 16);
}

/* Return: how often the kernel had no memory for a bind */
static u64 huge_refused(struct vk_dev *vk)
{
	u64 before = vk_ioctl_read().no_memory;
	VkResult result = huge_try(vk);
	u64 refused = vk_ioctl_read().no_memory - before;

	if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY &&
	    result != VK_ERROR_OUT_OF_HOST_MEMORY &&
	    result != VK_ERROR_DEVICE_LOST)
		vk_fail("a buffer with %llu MiB of page tables where %llu are allowed: %d",
			HUGE_TABLES >> 20, HUGE_LIMIT >> 20, result);
	if (!refused)
		vk_fail("no VM_BIND gave ENOMEM, but the buffer %d", result);
	vk->lost = result == VK_ERROR_DEVICE_LOST;
	return refused;
}

/*
 * Page tables for more addresses than the control group has memory for, but
 * no more than there are.  The kernel says ENOMEM and changes nothing; turnip
 * takes every map of its own that fails for a lost device, instead of lack of
 * memory.  So the device is lost to Vulkan, but not to the kernel: it still
 * maps memory.
 */
static void starved(struct vk_dev *vk)
{
	struct vk_memory memory;

	vk_account_enter();
	huge_fits(vk);
	vk_account_limit(HUGE_LIMIT);
	printf("# ENOMEM %llu times\n", vk_llu(huge_refused(vk)));
	live();
	vk_account_limit(0);
	memory = vk_memory_new(vk, 4 * VK_PAGE);
	vk_memory_free(vk, &memory);
	huge_fits(vk);
	live();
}

static VkResult allocate_try(struct vk_dev *vk, u64 size)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size, .memoryTypeIndex = vk->type,
	};
	VkDeviceMemory memory;
	VkResult result;

	result = vkAllocateMemory(vk->dev, &info, NULL, &memory);
	if (result == VK_SUCCESS)
		vkFreeMemory(vk->dev, memory, NULL);
	return result;
}

/*
 * A BO takes memory of the control group, and there is none: that is an error
 * of Vulkan, and the device works when there is some again.
 */
static void no_memory(struct vk_dev *vk)
{
	struct vk_account before;
	struct vk_dev own = *vk;
	struct vk_full full;
	VkResult result;
	u64 failed;

	vk_account_enter();
	live();
	vk_account_read(&before);
	vk_dev_again(&own);
	use(&own);
	vk_ok(allocate_try(&own, VK_PAGE));
	failed = vk_ioctl_read().no_bo;
	vk_full_begin(&full);
	result = allocate_try(&own, VK_PAGE);
	vk_full_end(&full);
	if (vk_ioctl_read().no_bo == failed)
		vk_fail("there was memory for a BO; the result is %d", result);
	if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY)
		vk_fail("vkAllocateMemory without memory: %d", result);
	use(&own);
	vk_account_limit(0);
	vk_dev_gone(&own);
	vk_account_settle(&before, HUGE_TABLES / 512);
}

/* Bind memory where its page table is, so that a mapping is all it takes. */
static VkResult bind_try(struct vk_dev *vk, VkBuffer buffer,
			 const struct vk_memory *memory)
{
	const VkSparseMemoryBind bind = {
		.size = VK_PAGE, .memory = memory->handle,
	};
	const VkSparseBufferMemoryBindInfo binds = {
		.buffer = buffer, .bindCount = 1, .pBinds = &bind,
	};
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.bufferBindCount = 1, .pBufferBinds = &binds,
	};

	return vkQueueBindSparse(vk->sparse, 1, &info, VK_NULL_HANDLE);
}

static void expect_lost(struct vk_dev *vk, const char *what, VkResult result,
			u64 refused)
{
	if (vk_ioctl_read().no_memory == refused)
		vk_fail("%s: no VM_BIND gave ENOMEM", what);
	if (result != VK_ERROR_DEVICE_LOST)
		vk_fail("%s: %d", what, result);
	vk->lost = true;
	/* Another device of the process works. */
	live();
}

/*
 * What turnip makes of a VM_BIND that gives ENOMEM: a lost device, unless its
 * second try, with an ioctl for each bind, has more luck.
 */
static void no_memory_bind(struct vk_dev *vk)
{
	struct vk_memory memory = vk_memory_new(vk, VK_PAGE);
	VkBuffer buffer = vk_buffer_handle(vk, 16 * VK_PAGE, SPARSE_RESIDENCY);
	struct vk_full full;
	VkResult result;
	u64 refused;

	vk_account_enter();
	vk_ok(bind_try(vk, buffer, &memory));
	vk_ok(vkQueueWaitIdle(vk->sparse));
	refused = vk_ioctl_read().no_memory;
	vk_full_begin(&full);
	result = bind_try(vk, buffer, &memory);
	vk_full_end(&full);
	vk_account_limit(0);
	expect_lost(vk, "vkQueueBindSparse", result, refused);
}

/* The pages of a BO come with its map. */
static void no_memory_pages(struct vk_dev *vk)
{
	VkResult result;
	u64 refused;

	vk_account_enter();
	vk_ok(allocate_try(vk, 2 * VK_FULL_ROOM));
	refused = vk_ioctl_read().no_memory;
	vk_full_limit();
	result = allocate_try(vk, 2 * VK_FULL_ROOM);
	vk_account_limit(0);
	expect_lost(vk, "vkAllocateMemory", result, refused);
}

static u64 mappings(void)
{
	struct vm_log *log = calloc(1, sizeof(*log));
	u64 count;

	if (!log || !vm_log_read(log))
		vk_fail("debugfs does not show the address space (not root?)");
	count = log->mappings;
	free(log);
	return count;
}

static void expect_mappings(const char *when, u64 wanted)
{
	u64 found = mappings();

	if (found != wanted)
		vk_fail("%s: the kernel has %llu mappings, not %llu", when,
			vk_llu(found), vk_llu(wanted));
}

/* Pieces of a sparse buffer that are mapped as one */
static u64 pieces(const struct sparse *sparse)
{
	u64 count = 0;

	for (u64 at = 0; at < sparse->pages; at++) {
		const struct sparse_page *here = &sparse->map[at];

		count += !at || here->memory != here[-1].memory ||
			(here->memory && here->page != here[-1].page + 1);
	}
	return count;
}

/*
 * The kernel does not join what was bound by different calls, so each call
 * binds pieces that touch nothing bound before.
 */
static void vma_count(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;
	u64 idle, made;

	sparse_open(&sparse, vk, 64, SPARSE_RESIDENCY);
	sparse_expect(&sparse, "turnip has what it needs");
	sparse_close(&sparse);
	idle = mappings();
	sparse_open(&sparse, vk, 64, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, 64);
	made = mappings();
	if (made != idle + 3)
		vk_fail("two buffers and a memory make %llu mappings more",
			vk_llu(made - idle));
	for (u64 at = 1; at < 60; at += 9)
		sparse_add(&sparse, at, memory, at, 1 + at % 4);
	sparse_commit(&sparse);
	expect_mappings("bound", made - 1 + pieces(&sparse));
	sparse_bind(&sparse, 20, memory, 34, 30);
	expect_mappings("bound over it", made - 1 + pieces(&sparse));
	sparse_expect(&sparse, "bound over it");
	sparse_close(&sparse);
	expect_mappings("destroyed", idle);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "vma-count", vma_count },
		{ "killed", killed },
		{ "neighbours", neighbours },
		{ "starved", starved },
		{ "no-memory", no_memory },
		{ "no-memory-bind", no_memory_bind },
		{ "no-memory-pages", no_memory_pages },
		{ "rounds-200", rounds_200 },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}

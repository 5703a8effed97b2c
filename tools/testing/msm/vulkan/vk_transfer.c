// SPDX-License-Identifier: MIT
/*
 * Fills, updates and copies at all alignments, compared byte by byte.
 *
 * The GPU moves 1, 4 or 16 bytes at a time, in chunks that end where a row of
 * 0x4000 of them ends, and translates addresses page by page.  So: small ones
 * at every alignment, some around the borders of pages, some around the ends
 * of chunks; each from and to memory whose pages lie in a row, and from and to
 * sparse buffers whose pages are shuffled.
 *
 * Terms: a strip is a buffer with the bytes that must be in it.
 * Trap: operations of one batch must not overlap, there is no order in it.
 */
#include <stdlib.h>
#include <string.h>

#include "vk_test.h"

#define STRIP_SIZE	(1024ull * 1024)
#define STRIP_PAGES	(STRIP_SIZE / VK_PAGE)

/* Pixels in a row of a blit, see the top */
#define ROW		0x4000ull

/* What is where nothing was written */
#define UNTOUCHED	0xee

/**
 * struct strip - a buffer with the bytes that must be in it
 * @handle: the VkBuffer
 * @memory: its memory
 * @order: page of @memory for each page of the buffer
 * @shadow: the bytes that must be in it
 * @found: room for the bytes that are in it
 */
struct strip {
	VkBuffer handle;
	struct vk_memory memory;
	u32 order[STRIP_PAGES];
	u8 *shadow;
	u8 *found;
};

/**
 * struct transfer - two strips
 * @vk: the device
 * @how: "in a row" or "shuffled"
 * @from: has a pattern, is only read
 * @to: what batches write
 * @used: bytes at the start of @to that the batch may write
 */
struct transfer {
	struct vk_dev *vk;
	const char *how;
	struct strip from;
	struct strip to;
	u64 used;
};

static void shuffle(u32 *order, bool shuffled, u32 state)
{
	for (u32 i = 0; i < STRIP_PAGES; i++)
		order[i] = i;
	for (u32 i = STRIP_PAGES - 1; shuffled && i; i--) {
		u32 other = vk_random(&state) % (i + 1), page = order[i];

		order[i] = order[other];
		order[other] = page;
	}
}

static void bind_in_order(struct vk_dev *vk, struct strip *strip)
{
	VkSparseMemoryBind binds[STRIP_PAGES] = {};

	for (u32 i = 0; i < STRIP_PAGES; i++) {
		binds[i].resourceOffset = i * VK_PAGE;
		binds[i].size = VK_PAGE;
		binds[i].memory = strip->memory.handle;
		binds[i].memoryOffset = strip->order[i] * VK_PAGE;
	}
	vk_bind_sparse(vk, strip->handle, binds, STRIP_PAGES);
	vk_wait(vk);
}

static void strip_open(struct vk_dev *vk, struct strip *strip, bool shuffled,
		       u32 seed)
{
	shuffle(strip->order, shuffled, seed);
	strip->memory = vk_memory_new(vk, STRIP_SIZE);
	strip->handle = vk_buffer_handle(vk, STRIP_SIZE, shuffled ?
					 VK_BUFFER_CREATE_SPARSE_BINDING_BIT : 0);
	if (shuffled)
		bind_in_order(vk, strip);
	else
		vk_ok(vkBindBufferMemory(vk->dev, strip->handle,
					 strip->memory.handle, 0));
	strip->shadow = malloc(STRIP_SIZE);
	strip->found = malloc(STRIP_SIZE);
	if (!strip->shadow || !strip->found)
		vk_fail("the test itself has no memory left");
}

static void strip_close(struct vk_dev *vk, struct strip *strip)
{
	vkDestroyBuffer(vk->dev, strip->handle, NULL);
	vk_memory_free(vk, &strip->memory);
	free(strip->shadow);
	free(strip->found);
}

static u8 *strip_page(struct strip *strip, u64 at)
{
	return strip->memory.map + strip->order[at / VK_PAGE] * VK_PAGE;
}

/* Put the first @size bytes of the shadow where the GPU finds them. */
static void strip_write(struct vk_dev *vk, struct strip *strip, u64 size)
{
	for (u64 at = 0; at < size; at += VK_PAGE)
		memcpy(strip_page(strip, at), strip->shadow + at, VK_PAGE);
	vk_memory_flush(vk, &strip->memory);
}

static void strip_expect(struct vk_dev *vk, struct strip *strip, u64 size,
			 const char *what)
{
	vk_memory_invalidate(vk, &strip->memory);
	for (u64 at = 0; at < size; at += VK_PAGE)
		memcpy(strip->found + at, strip_page(strip, at), VK_PAGE);
	vk_expect(what, strip->found, strip->shadow, size);
}

static void transfer_open(struct transfer *t, struct vk_dev *vk, bool shuffled)
{
	t->vk = vk;
	t->how = shuffled ? "shuffled pages" : "pages in a row";
	strip_open(vk, &t->from, shuffled, 1);
	strip_open(vk, &t->to, shuffled, 2);
	vk_pattern(t->from.shadow, STRIP_SIZE, 3);
	strip_write(vk, &t->from, STRIP_SIZE);
}

static void transfer_close(struct transfer *t)
{
	strip_close(t->vk, &t->from);
	strip_close(t->vk, &t->to);
}

/* A batch that writes to the first @used bytes */
static void batch_begin(struct transfer *t, u64 used)
{
	t->used = (used + VK_PAGE - 1) & ~(VK_PAGE - 1);
	if (t->used > STRIP_SIZE)
		vk_fail("the test needs a longer strip");
	memset(t->to.shadow, UNTOUCHED, t->used);
	strip_write(t->vk, &t->to, t->used);
	vk_begin(t->vk);
}

static void batch_end(struct transfer *t)
{
	vk_submit(t->vk);
	strip_expect(t->vk, &t->to, t->used, t->how);
}

static void add_copy(struct transfer *t, u64 from, u64 to, u64 size)
{
	const VkBufferCopy copy = {
		.srcOffset = from, .dstOffset = to, .size = size,
	};

	vkCmdCopyBuffer(t->vk->cmd, t->from.handle, t->to.handle, 1, &copy);
	memcpy(t->to.shadow + to, t->from.shadow + from, size);
}

static void add_fill(struct transfer *t, u64 to, u64 size)
{
	const u32 value = 0x03020100 + to * 0x01010101;

	vkCmdFillBuffer(t->vk->cmd, t->to.handle, to, size, value);
	for (u64 at = to; at < to + size; at += sizeof(value))
		memcpy(t->to.shadow + at, &value, sizeof(value));
}

static void add_update(struct transfer *t, u64 to, u64 size)
{
	const u8 *data = t->from.shadow + to;

	vkCmdUpdateBuffer(t->vk->cmd, t->to.handle, to, size, data);
	memcpy(t->to.shadow + to, data, size);
}

/*
 * From each alignment to each, and each size from and to each alignment; the
 * sizes lie around those of a pixel and 64 bytes.
 */
static void copy_small(struct transfer *t)
{
	static const u64 sizes[] = { 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65 };
	const u64 slot = 192;

	for (u64 from = 0; from <= 64; from++) {
		batch_begin(t, 65 * slot);
		for (u64 to = 0; to <= 64; to++)
			add_copy(t, to * slot + from, to * slot + to,
				 sizes[(from + to) % ARRAY_SIZE(sizes)]);
		batch_end(t);
	}
}

/* From and to around the border of a page, up to two pages */
static void copy_pages(struct transfer *t)
{
	static const u64 sizes[] = { 1, 4, 16, 63, 64, 4095, 4096, 4097, 8192 };
	static const int around[] = { -64, -17, -16, -4, -1, 0, 1, 4, 16, 63 };
	const u32 count = ARRAY_SIZE(around);

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		batch_begin(t, STRIP_SIZE);
		for (u32 n = 0; n < 60; n++) {
			u64 page = (4 * n + 1) * VK_PAGE;

			add_copy(t, page + around[n % count],
				 page + around[(n / count * 3 + n) % count],
				 sizes[i]);
		}
		batch_end(t);
	}
}

/* Around the length of a chunk, and of two, by 1, 4 and 16 bytes */
static void copy_chunks(struct transfer *t)
{
	static const u64 pixels[] = { 1, 4, 16 };
	static const u64 starts[][2] = { { 0, 0 }, { 1, 2 }, { 3, 0 }, { 0, 3 } };
	static const int around[] = { -1, 0, 1 };

	for (u32 i = 0; i < 3 * ARRAY_SIZE(starts) * ARRAY_SIZE(around); i++) {
		const u64 pixel = pixels[i % 3];
		const u64 *start = starts[i / 3 % ARRAY_SIZE(starts)];
		const int more = around[i / 3 / ARRAY_SIZE(starts)];
		const u64 size = (ROW + more) * pixel;

		batch_begin(t, 4 * ROW * pixel);
		add_copy(t, start[0] * pixel, start[1] * pixel, size);
		add_copy(t, start[1] * pixel, (ROW + 8 + start[0]) * pixel,
			 2 * size);
		batch_end(t);
	}
}

/* At each alignment, sizes around those of a pixel, 64 bytes and a page */
static void fill_small(struct transfer *t)
{
	static const u64 sizes[] = { 4, 8, 12, 16, 20, 60, 64, 68, 4092, 4096, 4100 };
	const u64 slot = 4096 + 256;

	batch_begin(t, 17 * ARRAY_SIZE(sizes) * slot);
	for (u32 i = 0; i < 17 * ARRAY_SIZE(sizes); i++)
		add_fill(t, i * slot + i % 17 * 4, sizes[i / 17]);
	batch_end(t);
}

/* Around the length of a chunk, and of two */
static void fill_chunks(struct transfer *t)
{
	static const u64 starts[] = { 0, 4, 60, 4092 };

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++) {
		batch_begin(t, STRIP_SIZE);
		add_fill(t, starts[i], 4 * ROW - 4);
		add_fill(t, starts[i] + 5 * ROW, 4 * ROW);
		add_fill(t, starts[i] + 10 * ROW, 4 * ROW + 4);
		add_fill(t, starts[i] + 16 * ROW, 8 * ROW - 4);
		add_fill(t, starts[i] + 26 * ROW, 8 * ROW + 4);
		batch_end(t);
	}
}

static void update(struct transfer *t)
{
	static const u64 sizes[] = { 4, 8, 16, 36, 60, 64, 68, 100, 4092, 4096, 4100 };
	const u64 slot = 4096 + 256;

	batch_begin(t, 17 * ARRAY_SIZE(sizes) * slot);
	for (u32 i = 0; i < 17 * ARRAY_SIZE(sizes); i++)
		add_update(t, i * slot + i % 17 * 4, sizes[i / 17]);
	batch_end(t);
	/* The largest that Vulkan allows */
	batch_begin(t, STRIP_SIZE);
	add_update(t, 64, 65536);
	add_update(t, 0x20004, 65536);
	add_update(t, 0x40010, 65532);
	batch_end(t);
}

static void on_both(struct vk_dev *vk, void (*run)(struct transfer *t))
{
	static struct transfer t;

	for (int shuffled = 0; shuffled <= 1; shuffled++) {
		transfer_open(&t, vk, shuffled);
		run(&t);
		transfer_close(&t);
	}
}

/* Some of it once more in memory of each other type that the CPU sees */
static void memory_types(struct vk_dev *vk)
{
	const u32 usual = vk->type;
	u32 others = 0;

	for (u32 type = 0; type < VK_MAX_MEMORY_TYPES; type++) {
		if (type == usual || !(vk_memory_flags(vk, type) &
				       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
			continue;
		vk->type = type;
		on_both(vk, copy_pages);
		on_both(vk, fill_chunks);
		others++;
	}
	vk->type = usual;
	if (!others)
		vk_fail("there is only one type of memory that the CPU sees");
}

#define ON_BOTH(run)							\
	static void run ## _on_both(struct vk_dev *vk) { on_both(vk, run); }

ON_BOTH(copy_small)
ON_BOTH(copy_pages)
ON_BOTH(copy_chunks)
ON_BOTH(fill_small)
ON_BOTH(fill_chunks)
ON_BOTH(update)

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "copy-small", copy_small_on_both },
		{ "copy-pages", copy_pages_on_both },
		{ "copy-chunks", copy_chunks_on_both },
		{ "fill-small", fill_small_on_both },
		{ "fill-chunks", fill_chunks_on_both },
		{ "update", update_on_both },
		{ "memory-types", memory_types },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: MIT
/*
 * How a device is lost: by what the virtual GPU has no model of, and by a
 * command buffer that never ends.
 *
 * Each test submits one such thing and wants VK_ERROR_DEVICE_LOST from the
 * call that waits for it, and a line in the kernel log that names the packet
 * or the reason.  Nothing may be dropped silently.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vk_knob.h"
#include "vk_test.h"

/* What is in the kernel log from now on; Return: a file to read it from */
static int kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		vk_fail("cannot read the kernel log (not root?)");
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* Is there a line in the kernel log with this text? */
static bool logged(int fd, const char *text)
{
	char line[2048];
	ssize_t size;
	bool found = false;

	while ((size = read(fd, line, sizeof(line) - 1)) > 0) {
		line[size] = '\0';
		found |= !!strstr(line, text);
	}
	close(fd);
	return found;
}

/* What vk->cmd holds must cost the device, with @reason in the kernel log. */
static void expect_lost(struct vk_dev *vk, const char *reason)
{
	int log = kernel_log();
	VkResult result = vk_submit_try(vk);

	if (result != VK_ERROR_DEVICE_LOST)
		vk_fail("the device is not lost, but the result %d", result);
	if (!logged(log, reason))
		vk_fail("the kernel log has no \"%s\"", reason);
	if (vkDeviceWaitIdle(vk->dev) != VK_ERROR_DEVICE_LOST)
		vk_fail("the device was lost and came back");
	vk->lost = true;
}

/**
 * struct image - a picture and its memory
 * @handle: the VkImage
 * @memory: bound to it
 */
struct image {
	VkImage handle;
	VkDeviceMemory memory;
};

static struct image image_new(struct vk_dev *vk, VkSampleCountFlagBits samples)
{
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = { 64, 64, 1 }, .mipLevels = 1, .arrayLayers = 1,
		.samples = samples, .tiling = VK_IMAGE_TILING_OPTIMAL,
		.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT |
			VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	VkMemoryAllocateInfo memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
	};
	VkMemoryRequirements need;
	struct image image;

	vk_ok(vkCreateImage(vk->dev, &info, NULL, &image.handle));
	vkGetImageMemoryRequirements(vk->dev, image.handle, &need);
	memory.allocationSize = need.size;
	vk_ok(vkAllocateMemory(vk->dev, &memory, NULL, &image.memory));
	vk_ok(vkBindImageMemory(vk->dev, image.handle, image.memory, 0));
	return image;
}

static void image_free(struct vk_dev *vk, struct image *image)
{
	vkDestroyImage(vk->dev, image->handle, NULL);
	vkFreeMemory(vk->dev, image->memory, NULL);
}

static void record_clear(struct vk_dev *vk, const struct image *image)
{
	const VkClearColorValue color = { .float32 = { 1, 1, 1, 1 } };
	const VkImageSubresourceRange all = {
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
		.levelCount = 1, .layerCount = 1,
	};
	const VkImageMemoryBarrier layout = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.image = image->handle, .subresourceRange = all,
	};

	vk_begin(vk);
	vkCmdPipelineBarrier(vk->cmd, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL,
			     0, NULL, 1, &layout);
	vkCmdClearColorImage(vk->cmd, image->handle, VK_IMAGE_LAYOUT_GENERAL,
			     &color, 1, &all);
}

/* turnip clears an image of several samples by a draw. */
static void draw(struct vk_dev *vk)
{
	struct image image = image_new(vk, VK_SAMPLE_COUNT_4_BIT);

	record_clear(vk, &image);
	expect_lost(vk, "CP_LOAD_STATE6");
	image_free(vk, &image);
}

/* A clear by the 2D engine, of an image that is tiled */
static void tiles(struct vk_dev *vk)
{
	struct image image = image_new(vk, VK_SAMPLE_COUNT_1_BIT);

	/* vk_image leaves it set when it fails. */
	vk_knob("tiles_as_linear", "0");
	record_clear(vk, &image);
	expect_lost(vk, "CP_BLIT writes a tiled or compressed surface");
	image_free(vk, &image);
}

/* An empty compute shader: SPIR-V of "void main() {}" */
static const u32 nothing[] = {
	0x07230203, 0x00010000, 0, 5, 0,
	2 << 16 | 17, 1,			/* OpCapability Shader */
	3 << 16 | 14, 0, 1,			/* OpMemoryModel */
	5 << 16 | 15, 5, 1, 0x6e69616d, 0,	/* OpEntryPoint "main" */
	6 << 16 | 16, 1, 17, 1, 1, 1,		/* OpExecutionMode */
	2 << 16 | 19, 2,			/* OpTypeVoid */
	3 << 16 | 33, 3, 2,			/* OpTypeFunction */
	5 << 16 | 54, 2, 1, 0, 3,		/* OpFunction */
	2 << 16 | 248, 4,			/* OpLabel */
	1 << 16 | 253,				/* OpReturn */
	1 << 16 | 56,				/* OpFunctionEnd */
};

static VkPipeline pipeline_new(struct vk_dev *vk, VkPipelineLayout *layout,
			       VkShaderModule *module)
{
	const VkShaderModuleCreateInfo shader = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(nothing), .pCode = nothing,
	};
	const VkPipelineLayoutCreateInfo empty = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT, .pName = "main",
		},
	};
	VkPipeline pipeline;

	vk_ok(vkCreateShaderModule(vk->dev, &shader, NULL, module));
	vk_ok(vkCreatePipelineLayout(vk->dev, &empty, NULL, layout));
	info.stage.module = *module;
	info.layout = *layout;
	vk_ok(vkCreateComputePipelines(vk->dev, VK_NULL_HANDLE, 1, &info, NULL,
				       &pipeline));
	return pipeline;
}

static void dispatch(struct vk_dev *vk)
{
	VkPipelineLayout layout;
	VkShaderModule module;
	VkPipeline pipeline = pipeline_new(vk, &layout, &module);

	vk_begin(vk);
	vkCmdBindPipeline(vk->cmd, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
	vkCmdDispatch(vk->cmd, 1, 1, 1);
	expect_lost(vk, "CP_LOAD_STATE6");
	vkDestroyPipeline(vk->dev, pipeline, NULL);
	vkDestroyPipelineLayout(vk->dev, layout, NULL);
	vkDestroyShaderModule(vk->dev, module, NULL);
}

/* A wait for an event that nobody sets: the GPU hangs. */
static void hang(struct vk_dev *vk)
{
	const VkEventCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
	};
	VkEvent event;

	vk_ok(vkCreateEvent(vk->dev, &info, NULL, &event));
	vk_begin(vk);
	vkCmdWaitEvents(vk->cmd, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL, 0,
			NULL);
	expect_lost(vk, "hangcheck recover!");
	vkDestroyEvent(vk->dev, event, NULL);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "draw", draw },
		{ "dispatch", dispatch },
		{ "tiled", tiles },
		{ "hang", hang },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}

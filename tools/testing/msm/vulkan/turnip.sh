# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# To be sourced in the guest before a Vulkan program: turnip on the virtual GPU, and nothing else.
#
# Taking the primary node away makes the programs what clients of a GPU without a display are, render-only:
# our device has no KMS, and turnip reports what the node then refuses as VK_ERROR_OUT_OF_HOST_MEMORY, at which
# vulkaninfo, which asks for displays, gives up. Of the drivers that the package brings only turnip is wanted.
rm -f /dev/dri/card*
export MESA_SHADER_CACHE_DISABLE=true VK_DRIVER_FILES=/usr/share/vulkan/icd.d/freedreno_icd.json
export VK_LOADER_LAYERS_DISABLE='~implicit~' TU_DEBUG=startup
# A command stream that waits for the CPU must not look like a hang where the CPU is emulated.
for file in /sys/kernel/debug/dri/*/hangcheck_period_ms; do
	[ ! -w "$file" ] || echo 3000 > "$file"
done

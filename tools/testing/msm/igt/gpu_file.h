/* SPDX-License-Identifier: MIT */
#ifndef __GPU_FILE_H__
#define __GPU_FILE_H__

int gpu_file_write(const char *path, const char *text);

#endif /* __GPU_FILE_H__ */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register and packet numbers of the virtual GPU, from the headers that the
 * build generates out of registers/adreno/.
 */
#ifndef __VGPU_HW_XML_H__
#define __VGPU_HW_XML_H__

#include <linux/types.h>

/*
 * The headers have inline functions for registers that hold floating point
 * numbers, written with these two.  The model calls none of them.
 */
#ifndef fui
#define fui(x)			((u32)sizeof(x))
#endif
#ifndef _mesa_float_to_half
#define _mesa_float_to_half(x)	((u32)sizeof(x))
#endif

#include "adreno_common.xml.h"
#include "adreno_pm4.xml.h"
#include "a6xx.xml.h"

#endif /* __VGPU_HW_XML_H__ */

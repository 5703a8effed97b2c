// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module that holds the KUnit suites of the msm driver.  The suites are in
 * the other files of this directory; each file registers its own.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("KUnit suites of the msm driver");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

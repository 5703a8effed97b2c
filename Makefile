# SPDX-License-Identifier: GPL-2.0-only
# Verbs only; each is a line that calls the lab.  ARCH, FLAVOUR, SUITE, GUESTS, CMD, IDLE, TIMEOUT and KSRC reach it through the
# environment, CMD with its dollar signs.
LAB := tools/testing/msm/lab.py
override CMD := $(value CMD)
export ARCH FLAVOUR SUITE GUESTS CMD IDLE TIMEOUT KSRC FORCE

.PHONY: help run check guest bench mutants tree kernel rootfs series check-series lint save clean
help:         ; @$(LAB) help
run:          ; @$(LAB) run
check:        ; @$(LAB) check
guest:        ; @$(LAB) guest
bench:        ; @$(LAB) bench
mutants:      ; @$(LAB) mutants
tree:         ; @$(LAB) tree
kernel:       ; @$(LAB) kernel
rootfs:       ; @$(LAB) rootfs
series:       ; @$(LAB) series
check-series: ; @$(LAB) check-series
lint:         ; @$(LAB) lint
save:         ; @$(LAB) save
clean:        ; @$(LAB) clean

# SPDX-License-Identifier: GPL-2.0-only
#
# For people; the kernel's build reads Kbuild. Each target is a script's work,
# and a script fetches what it needs: any of them is a fine first command.

# Which build of the modules: prod, or test (with the mock driver)
FLAVOUR ?= prod

# Which debug kernel: kasan or kcsan
DEBUG ?= kasan

DEMO_MACHINE := --iommu intel --device edu,dma_mask=0xffffffffffffffff --hugepages 64

help:
	@echo 'iommufd: /dev/iommu and the VFIO cdev for stock Debian 6.12 kernels'
	@echo
	@echo '  make run        boot a virtual machine with an IOMMU and let a device do DMA'
	@echo '                  through /dev/iommu'
	@echo '  make check      all tests: data structures in user space, the rest in the machine'
	@echo '  make check-debug    tests on kernels that complain about every mistake'
	@echo '                  (check-debug-short: the part of them that finds most for its time)'
	@echo '  make check-clients  DPDK and two QEMUs as users of the modules (CLIENTS=...: some of them)'
	@echo '  make bench      what mapping memory costs, beside VFIO type1 and the least possible'
	@echo '  make fuzz       make random calls for a while, in the debug kernel (scripts/fuzz --help)'
	@echo '  make mutate     make small mistakes in the kernel code, which tests must notice'
	@echo '  make coverage   which lines of the kernel code the tests reach, in the debug kernel'
	@echo '  make lint       checkpatch, sparse, W=1, kernel-doc, static analysis, shellcheck'
	@echo
	@echo '  make modules    build iommufd.ko and its VFIO modules (FLAVOUR=test: with mocks)'
	@echo '  make tools      build the user programs'
	@echo '  make install    put the modules into the running kernel'"'"'s module directory'
	@echo '  make uninstall  take them out again'
	@echo '  make setup      install missing packages, fetch the newest stock 6.12 kernel'
	@echo '  make clean      remove build/'
	@echo
	@echo '  make debug-kernel   build the kernel of scripts/vm --kernel debug, which complains'
	@echo '                  about every mistake (DEBUG=kcsan: about data races)'
	@echo '  make tree KERNEL_SRC=DIR'
	@echo '                  put the subsystem into a 6.12 source tree'
	@echo '  make tree-builds    compile it there as in allmodconfig, for x86_64 and arm64'
	@echo
	@echo '  scripts/vm --help   run any command in the virtual machine'
	@echo
	@echo 'Downloads are kept in $${IOMMUFD_CACHE:-~/.cache/iommufd}.'

setup:
	scripts/setup --newest

ready:
	@scripts/setup

modules: ready
	@scripts/modules $(FLAVOUR)

tools: ready
	@$(MAKE) --no-print-directory -s -C tools

run: modules tools
	@scripts/vm --modules $(FLAVOUR) $(DEMO_MACHINE) -- build/tools/iommufd-demo

check: ready
	@scripts/check

check-debug: ready
	@scripts/check-debug

check-debug-short: ready
	@scripts/check-debug --short

bench: ready
	@scripts/bench

check-clients: ready
	@scripts/check-clients $(CLIENTS)

fuzz: ready
	@scripts/fuzz

mutate: ready
	@scripts/mutate

coverage: ready
	@scripts/coverage

lint: ready
	@scripts/lint

tree: ready
	@scripts/tree $(or $(KERNEL_SRC),$(error say KERNEL_SRC=DIRECTORY of the source tree))

tree-builds: ready
	@scripts/tree-builds

debug-kernel: ready
	@scripts/debug-kernel $(DEBUG)

install:
	@scripts/install

uninstall:
	@scripts/install --remove

clean:
	rm -rf build

.DEFAULT_GOAL := help
.PHONY: help setup ready modules tools run check check-debug check-debug-short check-clients bench coverage fuzz lint mutate tree tree-builds debug-kernel install uninstall clean

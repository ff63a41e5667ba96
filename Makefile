# SPDX-License-Identifier: GPL-2.0-only
#
# The user's Makefile: builds, tests and installs nft_bpfjit.  What the module is
# made of is in nft_bpfjit/Kbuild, which this file hands to the kernel's build
# system, and which a kernel tree can use as it is.
#
# Nothing is built among the sources: nft_bpfjit/ and include/ are mirrored into
# build/$(KVER)/src, only what changed, so that several kernels are built from
# one checkout, at once and incrementally.  "make help" lists the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
W ?= 1

# The one place that has the version; what else needs it takes it from there.
VERSION := $(shell sed -n 's/^MODULE_VERSION("\(.*\)");$$/\1/p' nft_bpfjit/main.c)

# Where "make install" puts the module, "make install-tool" nft-jit and the manual,
# and "make dkms" the source.  With a DESTDIR, for a package, depmod is left to the
# package.
DESTDIR ?=
MODDIR := $(DESTDIR)/lib/modules/$(KVER)/extra
PREFIX ?= /usr
SHARE := $(DESTDIR)$(PREFIX)/share
SRCDIR ?= $(DESTDIR)/usr/src/nft_bpfjit-$(VERSION)

BUILD := $(CURDIR)/build/$(KVER)
SRC := $(BUILD)/src
KBUILD = $(MAKE) -C $(KDIR) M=$(SRC)/nft_bpfjit W=$(W)
MODULE := $(BUILD)/nft_bpfjit.ko

# "make M=..." or W=... of the command line are for Kbuild, not for us.
MAKEFLAGS += --no-print-directory

.PHONY: all module rival mirror setup sparse style check check-debug check-upstream
.PHONY: check-all kernels debug-kernel stress fuzz coverage bench demo install uninstall clean help
.PHONY: install-tool uninstall-tool dkms-source dkms deb check-deb docs version

all: module

# Same times as the originals, so that make rebuilds what changed; what is gone
# from the checkout goes from the copy as well, what was built there stays.
mirror:
	@[ -e $(KDIR)/Makefile ] || { \
		echo "no headers of $(KVER) in $(KDIR)," \
			"install linux-headers-$(KVER)" >&2; exit 1; }
	@mkdir -p $(SRC)
	@cp -a -u --parents nft_bpfjit include $(SRC)/
	@cd $(SRC) && find nft_bpfjit include -type f \
		\( -name '*.[chS]' ! -name '*.mod.c' -o -name Kbuild \) | \
	while read -r file; do \
		[ -e "$(CURDIR)/$$file" ] || rm -f "$$file"; \
	done

module: mirror
	+@$(KBUILD) modules
	@cp -u $(SRC)/nft_bpfjit/nft_bpfjit.ko $(MODULE)
	@echo "  MODULE  build/$(KVER)/nft_bpfjit.ko"

# Another module that redirects what we redirect, for the tests.
rival:
	@mkdir -p $(SRC)/rival
	@cp -u selftests/safety/rival/* $(SRC)/rival/
	+@$(MAKE) -C $(KDIR) M=$(SRC)/rival W=$(W) modules
	@cp -u $(SRC)/rival/rival.ko $(BUILD)/rival.ko

# Static checks.  C=2 looks at every file, also those that need no rebuild.
sparse: mirror
	+@$(KBUILD) C=2 CF=-Wsparse-error modules

style:
	@scripts/style

setup:
	@scripts/setup

# All of the tests, on all kernels; does its own set-up.
check:
	@scripts/check

# Everything on everything: several hours.
check-all:
	@scripts/check all

# Builds, boots and tries the module on every kernel that it is meant for.
kernels: setup
	@scripts/kernels

# The same in a kernel that looks for bugs, which is built first: half an hour.
debug-kernel:
	@scripts/debug-kernel

check-debug: debug-kernel
	@scripts/check debug

# "make stress SECONDS=600", on all kernels.
SECONDS ?= 300
stress:
	@STRESS_SECONDS=$(SECONDS) GUEST_TIMEOUT=$$(($(SECONDS) * 3 + 1200)) scripts/check stress

# "make fuzz SECONDS=600 SEED=3"; without a seed it is a new one each time.
SEED ?=

fuzz:
	@scripts/fuzz $(SECONDS) $(SEED)

# The kernel's own netfilter tests, all of them: without the module, then with it.
check-upstream: setup
	@scripts/check-upstream

demo:
	@scripts/demo

# How much of real rulesets runs where.
coverage:
	@scripts/coverage

# Writes Documentation/bench.
bench:
	@scripts/bench

install: module
	install -D -m 644 $(MODULE) $(MODDIR)/nft_bpfjit.ko
	$(if $(DESTDIR),,depmod $(KVER))

uninstall:
	rm -f $(MODDIR)/nft_bpfjit.ko
	$(if $(DESTDIR),,depmod $(KVER))

# The tool, its manual and its completion.
install-tool:
	install -d $(DESTDIR)$(PREFIX)/sbin $(SHARE)/man/man7 $(SHARE)/man/man8
	install -d $(SHARE)/bash-completion/completions
	sed 's/@VERSION@/$(VERSION)/' scripts/nft-jit >$(DESTDIR)$(PREFIX)/sbin/nft-jit
	chmod 755 $(DESTDIR)$(PREFIX)/sbin/nft-jit
	install -m 644 Documentation/man/nft_bpfjit.7 $(SHARE)/man/man7/
	install -m 644 Documentation/man/nft-jit.8 $(SHARE)/man/man8/
	install -m 644 scripts/nft-jit.bash $(SHARE)/bash-completion/completions/nft-jit

uninstall-tool:
	rm -f $(DESTDIR)$(PREFIX)/sbin/nft-jit $(SHARE)/man/man7/nft_bpfjit.7
	rm -f $(SHARE)/man/man8/nft-jit.8 $(SHARE)/bash-completion/completions/nft-jit

# What DKMS builds from: the module and this file, nothing of the tests.
dkms-source:
	install -d $(SRCDIR)
	cp -R --parents nft_bpfjit include Makefile $(SRCDIR)/
	sed 's/#MODULE_VERSION#/$(VERSION)/' dkms.conf >$(SRCDIR)/dkms.conf

dkms: dkms-source
	dkms install nft_bpfjit/$(VERSION)

# Debian packages: build/*.deb, and what they do in clean roots.
deb:
	@scripts/deb

check-deb: deb
	@scripts/check-deb

# Documentation as HTML: build/docs.
docs:
	@$(MAKE) -C Documentation html

version:
	@echo $(VERSION)

clean:
	rm -rf build

help:
	@echo 'make [module] [KVER=version]  build for a kernel: build/KVER/nft_bpfjit.ko'
	@echo '     check                    all tests, on all kernels, in QEMU'
	@echo '     check-all                everything on everything, for hours'
	@echo '     check-debug              the same in a kernel that looks for bugs (debug-kernel)'
	@echo '     stress SECONDS=n         everything at once, for that long, on all kernels'
	@echo '     fuzz [SECONDS=n] [SEED=n] random rulesets, off against on, in QEMU'
	@echo '     kernels                  build and try it on every kernel that it is for, in QEMU'
	@echo '     check-upstream           the kernel'"'"'s own netfilter tests, in QEMU'
	@echo '     demo                     show what it does, in QEMU'
	@echo '     coverage                 what runs where, of real rulesets, in QEMU'
	@echo '     bench                    measure it against the alternatives, in QEMU'
	@echo '     style, sparse            static checks'
	@echo '     setup                    fetch what the tests and the demo need'
	@echo '     install, uninstall       into /lib/modules/KVER/extra, with depmod'
	@echo '     install-tool, uninstall-tool  nft-jit and the manual, below PREFIX'
	@echo '     dkms                     source to /usr/src, built and installed by DKMS'
	@echo '     deb, check-deb           Debian packages: build/*.deb, tried in clean roots'
	@echo '     docs                     the documentation as HTML: build/docs'
	@echo '     clean                    remove build/'
	@echo
	@echo 'KVER is the running kernel ($(KVER)) unless given;'
	@echo 'KDIR=folder names its build tree, V=1 shows the commands.'

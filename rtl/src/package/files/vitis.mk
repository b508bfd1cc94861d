# make xo                         the kernel as a Vitis object (needs Vivado)
# make xclbin PLATFORM=P          linked and packaged for a platform (needs Vitis)
# make host                       the host program (needs XRT)
# make run PLATFORM=P             all of it, on the card, or in emulation with TARGET=hw_emu
# PLATFORM is the name or .xpfm file of the card's platform, as `platforminfo -l` lists it.

TARGET ?= hw
PLATFORM ?=
BUILD := build/$(TARGET)
XO := $(BUILD)/$(KERNEL).xo
LINKED := $(BUILD)/$(KERNEL).link.xclbin
XCLBIN := $(BUILD)/$(KERNEL).xclbin
HOST := build/host
CXX ?= g++
CXXFLAGS ?= -O2 -Wall -Wextra
# A kernel in several SLRs is placed by a script of its own.
PLACE := $(if $(wildcard place_cores.tcl),--vivado.prop run.impl_1.STEPS.PLACE_DESIGN.TCL.PRE=$(abspath place_cores.tcl))
SOURCES := $(addprefix ../rtl/,$(shell cat ../rtl/files.f))

.PHONY: xo xclbin host run clean platform

xo: $(XO)
xclbin: $(XCLBIN)
host: $(HOST)

platform:
	@test -n "$(PLATFORM)" || { echo "PLATFORM is not set: give the card's platform, as platforminfo -l lists it" >&2; exit 2; }
	@test "$(TARGET)" = hw || test "$(TARGET)" = hw_emu || \
	    { echo "TARGET is $(TARGET), expected hw or hw_emu" >&2; exit 2; }

$(XO): $(SOURCES) gen_xo.tcl package_kernel.tcl
	mkdir -p $(BUILD)
	vivado -mode batch -nojournal -log $(BUILD)/gen_xo.log -source gen_xo.tcl -tclargs $@

$(LINKED): $(XO) link.cfg | platform
	v++ --link --target $(TARGET) --platform $(PLATFORM) --config link.cfg $(PLACE) --temp_dir $(BUILD)/link \
	    --log_dir $(BUILD)/logs --report_dir $(BUILD)/reports -o $@ $(XO)

$(XCLBIN): $(LINKED) | platform
	v++ --package $(LINKED) --target $(TARGET) --platform $(PLATFORM) --package.out_dir $(BUILD)/package -o $@

$(HOST): ../host/host.cpp ../host/kernel.h ../tb/hex_file.h
	mkdir -p build
	$(CXX) -std=c++17 $(CXXFLAGS) -I../tb -I$(XILINX_XRT)/include ../host/host.cpp -o $@ \
	    -L$(XILINX_XRT)/lib -lxrt_coreutil -pthread

run: $(HOST) $(XCLBIN)
ifeq ($(TARGET),hw_emu)
	emconfigutil --platform $(PLATFORM) --od build
	cd build && XRT_INI_PATH=../xrt.ini XCL_EMULATION_MODE=hw_emu ./host ../$(XCLBIN) ../../vectors
else
	XRT_INI_PATH=xrt.ini $(HOST) $(XCLBIN) ../vectors
endif

clean:
	rm -rf build

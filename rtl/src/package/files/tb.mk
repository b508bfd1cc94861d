# make              both testbenches and the lint
# make verilator    the core, or all cores, as C++ (needs verilator, g++, make)
# make icarus       the same in Icarus Verilog (needs iverilog): minutes to hours, but X is X
# make lint         Verilator, Icarus and Yosys over all of the Verilog (yosys is left out where it is not installed)
# STALL=P withholds ready and valid of the memories with a probability of P percent, from SEED.
# VERILATOR_FLAGS= for a Verilator before 5, which has no data flow optimiser to be switched off.

VERILATOR ?= verilator
# The data flow optimiser of Verilator 5.006 computes wrong bits.
VERILATOR_FLAGS ?= -fno-dfg
IVERILOG ?= iverilog
VVP ?= vvp
YOSYS ?= yosys
STALL ?= 0
SEED ?= 1
SOURCES := $(addprefix ../rtl/,$(shell cat ../rtl/files.f))
HEADERS := $(wildcard ../rtl/*.vh)

.PHONY: all verilator icarus lint clean

all: lint verilator icarus

verilator: obj_dir/Vtop
	./obj_dir/Vtop ../vectors --stall $(STALL) --seed $(SEED)

# What no reset sets begins with random bits: nothing may depend on it.
obj_dir/Vtop: $(SOURCES) $(HEADERS) tb_verilator.cpp tb_config.h hex_file.h
	$(VERILATOR) --cc --exe --build -j 0 -Wall --x-initial unique --x-assign fast -O3 $(VERILATOR_FLAGS) -I../rtl --top-module $(TOP) \
	    --prefix Vtop --Mdir obj_dir -CFLAGS "-O1 -I.." -MAKEFLAGS "OPT_FAST=-O1" $(SOURCES) ../tb/tb_verilator.cpp

icarus: build/tb_icarus.vvp
	$(VVP) -n $< +vectors=../vectors +stall=$(STALL) +seed=$(SEED) | tee build/icarus.log
	@grep -q '^PASS' build/icarus.log

build/tb_icarus.vvp: $(SOURCES) $(HEADERS) tb_icarus.v tb_memory.v tb_config.vh
	mkdir -p build
	$(IVERILOG) -g2005 -I../rtl -I. -s tb_icarus -o $@ tb_icarus.v tb_memory.v $(SOURCES)

lint:
	$(VERILATOR) --lint-only -Wall -I../rtl --top-module $(KERNEL) $(SOURCES)
	mkdir -p build
	$(IVERILOG) -g2005 -Wall -I../rtl -s $(KERNEL) -t null $(SOURCES) 2>&1 | tee build/iverilog.log
	@! grep -q . build/iverilog.log
	@if command -v $(YOSYS) >/dev/null; then \
	    $(YOSYS) -q -e '.*' -p "read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v; read_verilog -I../rtl $(SOURCES); hierarchy -check -top $(KERNEL); proc; check -assert"; \
	else echo "lint: yosys is not installed: left out"; fi

clean:
	rm -rf obj_dir build

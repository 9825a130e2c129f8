# Delegates only: every target is a command that also runs alone.
.PHONY: help setup firmware demo demo-device test bench soak clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## tools of the system, .venv, the project in it; nothing twice
	@tools/setup.sh

firmware: setup ## build/firmware/boardless.elf; MODEL=FILE.npz: with this network, in build/model
ifdef MODEL
	@.venv/bin/boardless model export '$(MODEL)' build/model/root/generated
	@$(MAKE) --no-print-directory -C firmware BUILD=../build/model MODEL_ROOT=../build/model/root model
else
	@$(MAKE) --no-print-directory -C firmware
endif

demo: firmware ## the suites, then 100 frames through the virtual camera as a table
	@tools/demo.sh

demo-device: firmware ## a clip through gateway, signed packets and the command device
	@tools/demo_device.sh

test: ## everything: lint, types, unit, firmware, Robot, budgets
	@tools/setup.sh --lint
	@.venv/bin/tox run-parallel --parallel 2 --parallel-no-spinner -e lint,type,model,peers
	@.venv/bin/tox -e unit,firmware,robot,budget

bench: firmware ## speed and memory, into build/bench.json
	@.venv/bin/python tools/bench.py
	@.venv/bin/python tools/bench_engines.py
	@.venv/bin/python tools/bench_kernels.py
	@.venv/bin/python tools/bench_budget.py
	@.venv/bin/python tools/bench_debug.py

soak: firmware ## 100,000 frames on one board (half an hour): memory, speed, time; build/soak.json
	@.venv/bin/python tools/soak.py

clean: ## what was built; .venv stays
	@rm -rf build .tox

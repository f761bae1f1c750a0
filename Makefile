# Bare `make` lists the targets. Everything runs from .venv, which `make setup` builds.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

bin := .venv/bin

# words="refresh reuse" selects the tests whose names hold both; an expression with and/or/not goes through as it is.
space := $(subst ,, )
expression = $(filter and or not,$(words))
selected = $(if $(words),-k "$(if $(expression),$(words),$(subst $(space), and ,$(strip $(words))))")

.PHONY: help setup serve test test-setup soak check format bench bench-own bench-scale bench-growth bench-flames lock clean

help: ## list the targets (this list)
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name sentence; do printf '  make %-12s %s\n' "$$name" "$$sentence"; done

setup: ## build .venv from the lock, so that .venv/bin/grantway runs; quick when there is nothing to do
	@scripts/setup

serve: setup ## start the demo platform on this machine
	@$(bin)/grantway serve --demo

test-setup: setup ## fetch what only tests need: chromium, wrk, PostgreSQL (Debian, as root), JavaScript and older Python clients
	@scripts/system-tools chromium wrk postgresql pgbouncer
	@scripts/npm-packages
	@scripts/older-clients

test: test-setup ## run the tests, all or those named: make test words="refresh reuse"
	@scripts/tests $(selected)

soak: test-setup ## try for an hour what a run of the tests cannot: fail-overs, crashes, new luck (minutes=10 takes less)
	@scripts/soak $(or $(minutes),60)

check: setup ## look without running: format, lint, types, and which module may import which
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy src tests bench
	$(bin)/lint-imports

format: setup ## put the code into its one format and mend what the linter can mend
	$(bin)/ruff check --fix-only --quiet .
	$(bin)/ruff format .

bench: setup ## measure this server beside its peers (quick=1: a second each; record=1: into the documentation)
	@scripts/system-tools wrk postgresql redis-server
	@$(bin)/python -m bench.compare $(if $(quick),--quick) $(if $(record),--record)

bench-own: setup ## measure this server alone: requests per second, latency, CPU and memory of one and two workers
	@scripts/system-tools wrk
	@$(bin)/python -m bench

bench-scale: setup ## measure every page at 100,000 connections, deliveries, and removing what issued a million tokens
	@$(bin)/python -m bench.pages
	@$(bin)/python -m bench.deliveries
	@$(bin)/python -m bench.removal

bench-growth: setup ## refresh ten million times, and ask 10,000,000 grants, on both engines: two hours, 25 GB (quick=1: minutes)
	@scripts/system-tools wrk postgresql
	@$(bin)/python -m bench.growth $(if $(quick),--refreshes 1000x20 --populations 1000 20000 --seconds 1 --rounds 1)

bench-flames: setup ## see where the time goes (before=SRC: beside an older tree; record=1: into the documentation), and the floor
	@scripts/system-tools wrk postgresql nginx-light
	@$(bin)/python -m bench.flames $(if $(before),--before $(before)) $(if $(record),--record)
	@$(bin)/python -m bench.floor $(if $(record),--record)

lock: setup ## compile the locks anew from pyproject.toml and package.json (UPGRADE=1 takes the newest versions)
	@scripts/lock

clean: ## remove what was built, .venv and caches included; the server's data stays
	rm -rf .venv .setup.lock build dist tests/journeys/npm/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

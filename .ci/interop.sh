#!/usr/bin/env bash
# Real servers and real clients, on loopback.
. "$(dirname "$0")/_common.sh"
exec interop/run.sh

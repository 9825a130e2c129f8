#!/usr/bin/env bash
# The whole of it on 100 standard test frames: suites, the table, the budgets, where the report lies.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly ELF=build/firmware/boardless.elf
readonly REPORT=build/robot
readonly DATASET=/usr/share/datasets/fashion-mnist
worst=0

step() {
    printf '\n%s\n' "$*"
    .venv/bin/"$@"
    local code=$?
    ((code > worst)) && worst=$code
}

step boardless test robot/suites --out "$REPORT"
step boardless run "$ELF" --frames "$DATASET/t10k-images-idx3-ubyte.gz" \
    --labels "$DATASET/t10k-labels-idx1-ubyte.gz" --limit 100
step boardless budget "$ELF"
printf '\nRobot report: %s\n' "$REPORT/report.html"
exit "$worst"

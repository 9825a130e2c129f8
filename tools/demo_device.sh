#!/usr/bin/env bash
# A clip made on the spot goes through the gateway to the command device on the virtual board: events,
# commands, latencies; the display as GIF and the events as a time line in build/demo-device.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OUT=build/demo-device
readonly PYTHON=.venv/bin/python

"$PYTHON" -c 'import av' 2>/dev/null || {
    echo "demo-device: installing the extra gateway" >&2
    "$PYTHON" -m pip install -qq 'av>=14,<19'
}
rm -rf "$OUT"
mkdir -p "$OUT"
"$PYTHON" tools/demo_clip.py "$OUT/clip.mp4"
.venv/bin/boardless device key "$OUT/key"
.venv/bin/boardless gateway "$OUT/clip.mp4" --mapping firmware/apps/command/mapping.toml \
    --key "$OUT/key" --board build/firmware/command.elf --time-line "$OUT/events.png" \
    --display "$OUT/display.gif" --json "$OUT/gateway.json"
echo
echo "display    $OUT/display.gif"
echo "events     $OUT/events.png"

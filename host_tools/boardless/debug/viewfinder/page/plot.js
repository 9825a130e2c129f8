// The stages of each frame as stacked bars, in milliseconds.
const COLOURS = ["#4c8dd6", "#e0a030", "#3fa564", "#b06ad0", "#d0605a", "#7a8794"];

export function drawLatency(canvas, legend, latencies) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const stages = [...new Set(latencies.flatMap(Object.keys))].filter((name) => name !== "total");
  const sums = latencies.map((times) => stages.reduce((sum, name) => sum + (times[name] ?? 0), 0));
  const sorted = [...sums].sort((a, b) => a - b);
  // The first frame pays for the boot: it may run out of the picture.
  const most = Math.max((sorted[Math.floor(sorted.length * 0.95)] ?? 1) * 1.15, 1);
  const left = 58, step = (width - left) / 120;
  context.font = "11px system-ui";
  context.textAlign = "right";
  context.fillStyle = context.strokeStyle = getComputedStyle(canvas).color;
  for (const share of [0, 0.5, 1]) {
    const y = height - 4 - share * (height - 16);
    context.globalAlpha = 0.7;
    context.fillText(`${((most * share) / 1000).toFixed(1)} ms`, left - 6, y + 3);
    context.globalAlpha = 0.15;
    context.fillRect(left, y, width - left, 1);
  }
  context.globalAlpha = 1;
  latencies.forEach((times, number) => {
    let y = height - 4;
    stages.forEach((name, stage) => {
      const size = Math.min(((times[name] ?? 0) / most) * (height - 16), y);
      context.fillStyle = COLOURS[stage % COLOURS.length];
      context.fillRect(left + number * step, y - size, Math.max(step - 1, 1), size);
      y -= size;
    });
  });
  legend.replaceChildren(...stages.flatMap((name, stage) => {
    const mark = document.createElement("i");
    mark.style.background = COLOURS[stage % COLOURS.length];
    return [mark, name];
  }));
}

// The page: every state is drawn whole, so that a page opened late shows all there is.
import { connect, sendPicture } from "./link.js";
import { drawChannels, drawGrey, drawInput, drawLit } from "./pictures.js";
import { drawLatency } from "./plot.js";

const SPEEDS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16];
const $ = (id) => document.getElementById(id);
let state = null;

const ask = connect(show, (on) => {
  $("link").className = `link ${on ? "on" : "off"}`;
  $("link").textContent = on ? "connected" : "no connection, trying again";
}, say);

function say(text) {
  $("note").hidden = !text;
  $("note").textContent = text;
}

// ---- what the board shows ----

function show(found) {
  state = found;
  $("elf").textContent = found.elf;
  document.title = `${found.running ? "▶" : "❚❚"} ${found.elf}`;
  $("chip").textContent = found.chip;
  $("basis").textContent = found.basis;
  $("time").textContent = `${(found.time_ms / 1000).toFixed(3)} s`;
  $("pause").textContent = found.running ? "Pause" : "Run";
  $("speed").textContent = found.speed < 1 ? `1/${1 / found.speed}×` : `${found.speed}×`;
  if (found.note) say(found.note);
  $("stands").hidden = !found.stands.length;
  $("stands").textContent = found.stands.join("\n");
  $("source").disabled = !found.held;
  showImages(found);
  showResult(found);
  showStack(found.stack);
  showFaults(found.faults);
  showPins(found.pins);
  showUart(found);
  drawLatency($("plot"), $("legend"), found.latencies);
  const last = found.latencies.at(-1);
  $("latency").textContent = last?.total === undefined ? "" : `${(last.total / 1000).toFixed(3)} ms`;
}

function showImages(found) {
  const layers = found.images.filter((image) => image.kind === "layer");
  for (const image of found.images) {
    if (image.kind === "camera") {
      drawGrey($("camera"), image);
      $("frame-name").textContent = image.name;
    }
    if (image.kind === "input" && image.n) drawInput($("input"), image);
    if (image.kind === "display") {
      $("display-panel").hidden = false;
      drawLit($("display"), image);
    }
  }
  const box = $("layers");
  if (box.children.length !== layers.length) {
    box.replaceChildren(...layers.map(() => {
      const figure = document.createElement("figure");
      figure.append(document.createElement("canvas"), document.createElement("figcaption"));
      return figure;
    }));
  }
  layers.forEach((image, number) => {
    const [canvas, caption] = box.children[number].children;
    caption.textContent = `${image.name} ${image.h}×${image.w}×${image.c}${image.n ? "" : ", too large to show"}`;
    if (image.n) drawChannels(canvas, image);
  });
  showScores(layers.at(-1), found);
}

function showScores(last, found) {
  const box = $("scores");
  const isVector = last && last.n && last.h * last.w === 1 && last.c <= 32;
  if (!isVector) {
    box.replaceChildren("no output layer with a few values");
    return;
  }
  const values = [...new Int8Array(last.data)];
  const best = found.result?.class;
  box.replaceChildren(...values.flatMap((value, number) => {
    const name = document.createElement("span");
    name.textContent = found.classes[number] ?? String(number);
    name.className = number === best ? "best" : "";
    const meter = Object.assign(document.createElement("meter"), { min: -128, max: 127, value });
    const text = document.createElement("span");
    text.textContent = value;
    return [name, meter, text];
  }));
}

function showResult(found) {
  const result = found.result;
  $("class").textContent = result ? found.classes[result.class] ?? result.class : "–";
  $("score").textContent = result?.score ?? "–";
  $("input-name").textContent = result?.name ?? "";
  $("frames").textContent = `${found.frames.toLocaleString("en")} frames captured, ${found.results.toLocaleString("en")} results`;
}

function showStack({ used, room }) {
  Object.assign($("stack"), { max: room, low: room * 0.7, high: room * 0.9, optimum: 0, value: used });
  $("stack-text").textContent = `${used.toLocaleString("en")} of ${room.toLocaleString("en")} bytes at most`;
}

function showFaults(faults) {
  const box = $("faults");
  if (!box.children.length) {
    box.append(...Object.keys(faults).map((name) => {
      const button = document.createElement("button");
      button.textContent = name;
      button.dataset.fault = name;
      button.onclick = () => ask({ do: "fault", name, on: !state.faults[name] });
      return button;
    }));
  }
  for (const button of box.children) button.setAttribute("aria-pressed", faults[button.dataset.fault]);
}

function showPins(ports) {
  $("pins").replaceChildren(...ports.flatMap(({ port, levels, modes }) => {
    const label = document.createElement("span");
    label.textContent = `P${port}`;
    return [label, ...modes.map((mode, pin) => {
      const mark = document.createElement("i");
      const high = (levels >> pin) & 1;
      mark.className = `${high ? "high" : ""} ${mode === 0 || mode === 3 ? "input" : ""}`;
      mark.title = `P${port}${pin} ${["input", "output", "function", "analog"][mode]}, ${high ? "high" : "low"}`;
      return mark;
    })];
  }));
}

function showUart(found) {
  const box = $("uart");
  const text = found.uart.map((line) => `${line.ms.toFixed(3).padStart(11)} ${line.port}  ${line.text}`).join("\n");
  if (box.textContent !== text) {
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.textContent = text || "silent";
    if (follows) box.scrollTop = box.scrollHeight;
  }
  if ($("port").options.length !== found.ports.length) {
    $("port").replaceChildren(...found.ports.map((name) => new Option(name)));
    if (found.ports.includes("USART2")) $("port").value = "USART2";
  }
}

// ---- what the page asks for ----

function turn(direction) {
  const here = SPEEDS.indexOf(state?.speed ?? 1);
  const to = SPEEDS[Math.min(Math.max(here + direction, 0), SPEEDS.length - 1)];
  ask({ do: "speed", to });
}

const actions = {
  pause: () => ask({ do: state?.running ? "pause" : "run" }),
  step: () => ask({ do: "step" }),
  back: () => ask({ do: "back" }),
  slower: () => turn(-1),
  faster: () => turn(1),
  source: () => { stopWebcam(); ask({ do: "source" }); },
};
for (const [id, action] of Object.entries(actions)) {
  $(id).onclick = () => { say(""); action(); };
}

const keys = { " ": "pause", ArrowRight: "step", ArrowLeft: "back", "+": "faster", "=": "faster", "-": "slower" };
addEventListener("keydown", (event) => {
  const target = event.target;
  if (target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && target.matches("button")) return; // the button's own key
  if (event.key === "u") { $("text").focus(); event.preventDefault(); return; }
  const id = keys[event.key];
  if (id) { event.preventDefault(); $(id).click(); }
});

$("send").onsubmit = (event) => {
  event.preventDefault();
  say("");
  ask({ do: "send", port: $("port").value, text: $("text").value });
  $("text").value = "";
};

// ---- pictures into the camera ----

async function give(blob, name) {
  try {
    await sendPicture(blob, name);
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

$("file").onchange = async ({ target }) => {
  say("");
  if (target.files.length) await give(target.files[0], target.files[0].name);
  target.value = "";
};
const drop = $("drop");
drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
drop.ondragleave = () => drop.classList.remove("over");
drop.ondrop = async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  say("");
  const file = event.dataTransfer.files[0];
  if (file) await give(file, file.name);
};

let stream = null;

function stopWebcam() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  $("webcam").setAttribute("aria-pressed", "false");
}

$("webcam").onclick = async () => {
  say("");
  if (stream) { stopWebcam(); return; }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
  } catch (error) {
    say(`no camera: ${error.message}`);
    return;
  }
  $("webcam").setAttribute("aria-pressed", "true");
  const video = $("video");
  video.srcObject = stream;
  await video.play();
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const context = canvas.getContext("2d");
  while (stream) {
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    if (!stream || !(await give(blob, "this camera"))) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  stopWebcam();
};

// The connection to the board: states come in, wishes go out; lost, it is tried again.
const token = new URLSearchParams(location.search).get("token") ?? "";

export function connect(onState, onLink, onError) {
  let socket;
  let wait = 250;
  const open = () => {
    socket = new WebSocket(`ws://${location.host}/live?token=${encodeURIComponent(token)}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { wait = 250; onLink(true); };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") onError(JSON.parse(data).error);
      else onState(decode(data));
    };
    socket.onclose = () => {
      onLink(false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 4000);
    };
  };
  open();
  return (wish) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(wish));
  };
}

// message.py: the header's length, the header, the pictures' bytes.
function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const state = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  for (const image of state.images) {
    image.data = new Uint8Array(buffer, at, image.n);
    at += image.n;
  }
  return state;
}

export async function sendPicture(blob, name) {
  const query = new URLSearchParams({ token, name });
  const answer = await fetch(`/picture?${query}`, { method: "POST", body: blob });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `refused (${answer.status})`);
}

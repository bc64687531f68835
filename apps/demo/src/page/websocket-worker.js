// A worker can stand still where a page must not: while it does, nobody reads the socket, and the server has to wait.
let brake = null;
let socket = null;
let frames = [];

onmessage = ({ data }) => {
  if (data.op === "open") open(data.url, data.brake);
  if (data.op === "stall") Atomics.wait(brake, 0, 1);
};

function open(url, sharedBrake) {
  brake = sharedBrake === null ? null : new Int32Array(sharedBrake);
  socket = new WebSocket(url, "starcast.v1");
  socket.onmessage = ({ data }) => {
    if (frames.length === 0) setTimeout(hand, 16);
    frames.push(JSON.parse(data));
  };
  socket.onclose = ({ code }) => {
    hand();
    postMessage({ closed: code });
  };
}

function hand() {
  if (frames.length > 0) postMessage({ frames });
  frames = [];
}

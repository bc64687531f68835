/** Calls with every status report of the demo's process, which comes a few times a second while something moves. */
export function followStatus(onStatus) {
  const source = new EventSource("/status");
  source.onmessage = ({ data }) => onStatus(JSON.parse(data));
  source.onerror = () => {
    document.getElementById("notice").textContent = "The demo does not answer; trying again.";
  };
}

/** Asks the process to stop or start something; null when it did, else what stood in the way. */
export async function order(wanted) {
  try {
    const response = await fetch("/control", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wanted),
    });
    return response.ok ? null : await response.text();
  } catch {
    return "The demo does not answer.";
  }
}

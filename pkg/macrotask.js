/** Lets waiting messages in; unlike setTimeout it is not held back by the browser's 4 ms clamp. */
export function macrotask() {
  return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

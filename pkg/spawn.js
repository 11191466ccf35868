// Starting workers. Browsers start them only from the page's own origin; a script of another one, such as a CDN, is
// started by a line of our own that imports it.

/** The line for each script, made once. @type {Map<string, string>} */
const lines = new Map();

/**
 * The worker that `construct` makes: `new Worker(new URL('…', import.meta.url), …)`, as bundlers look for it.
 *
 * @param {() => Worker} construct
 * @param {string} [address] of the script, if it is somewhere else
 */
export function spawn(construct, address) {
  const [found, options] = argumentsOf(construct);
  const script = address ?? found;
  if (!address) {
    try {
      return construct();
    } catch (error) {
      if (error.name !== 'SecurityError') throw error;
    }
  } else if (new URL(address).origin === globalThis.origin) {
    return new Worker(address, options);
  }
  return new Worker(importing(script, options.type), options);
}

/** What `construct` passes to `Worker`: only there do bundlers write where they have put the script. */
export function argumentsOf(construct) {
  const { Worker } = globalThis;
  let told = /** @type {[string, WorkerOptions]} */ (['', {}]);
  globalThis.Worker = /** @type {any} */ (
    class {
      constructor(url, options) {
        told = [new URL(url, globalThis.location?.href).href, options ?? {}];
      }
    }
  );
  try {
    construct();
  } finally {
    globalThis.Worker = Worker;
  }
  return told;
}

/** @param {string} script */
function importing(script, type) {
  const key = `${type} ${script}`;
  let line = lines.get(key);
  if (!line) {
    const code = type === 'module' ? `import ${JSON.stringify(script)};` : `importScripts(${JSON.stringify(script)});`;
    line = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    lines.set(key, line);
  }
  return line;
}

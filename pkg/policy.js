// What a content security policy forbids here, so that it is not taken for a broken connection. A worker has the policy
// that its own script was sent with; the page's is another one.

import { LfdmError } from './error.js';
import { macrotask } from './macrotask.js';

export const SERVING = 'lfdm-web’s README says which policy it needs, under “Serving”.';

/** The latest refusal. @type {SecurityPolicyViolationEvent | null} */
let refused = null;

const scope = globalThis.document ?? globalThis;
scope.addEventListener?.(
  'securitypolicyviolation',
  (event) => (refused = /** @type {SecurityPolicyViolationEvent} */ (event)),
);

/** Whether WebAssembly may be compiled; without the right policy the smallest module is refused. */
export function checkWasm() {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch (error) {
    throw new LfdmError(
      'setup',
      'The server’s content security policy forbids WebAssembly. The header Content-Security-Policy that the ' +
        `package’s scripts are sent with needs script-src 'self' 'wasm-unsafe-eval'. ${SERVING}`,
      `${error}`,
    );
  }
}

/** The error that a policy caused instead of `error`, if one did. Nothing before `since` counts. */
export async function explained(error, since) {
  // The browser says what it refused a moment later.
  await macrotask();
  if (!refused || refused.timeStamp < since) return error;
  const { effectiveDirective: directive, blockedURI } = refused;
  // Of what lies in the page itself, browsers tell the scheme alone.
  const isScheme = /^(blob|data)$/.test(blockedURI);
  const [address, needed] = isScheme ? [`${blockedURI}: addresses`, `${blockedURI}:`] : [blockedURI, 'that address'];
  return new LfdmError(
    'setup',
    `A content security policy forbids ${address}: it needs ${directive} with ${needed}. ${SERVING}`,
    `${refused.originalPolicy} (${error.details ?? error.message})`,
  );
}

// Why the worker's script does not start: browsers do not tell.

import { LfdmError } from './error.js';
import { explained } from './policy.js';

/**
 * @param {string} address of the script
 * @param {number} since when it was started, on the page's clock
 * @returns {Promise<LfdmError>}
 */
export async function whyNotStarted(address, since) {
  const offline = new LfdmError(
    'download',
    'The program could not be downloaded. Check the connection and try again.',
    address,
  );
  const error = await explained(offline, since);
  if (error !== offline) return error;
  const response = await fetch(address, { cache: 'no-cache' }).catch(() => null);
  if (!response || response.status >= 500) return offline;
  const type = response.headers.get('content-type') ?? 'no type';
  const trouble = !response.ok
    ? `is not there (HTTP ${response.status})`
    : /javascript/.test(type)
      ? 'is there, but does not start; a file that it imports may be missing'
      : `is not a script there (${type})`;
  return new LfdmError(
    'setup',
    `The program’s file ${address} ${trouble}. lfdm-web’s README says how bundlers and servers provide it.`,
    trouble,
  );
}

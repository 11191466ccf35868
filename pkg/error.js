/** @import * as Types from './index.d.ts' */

/**
 * An error with a sentence for the reader in `message`, a machine-readable `code` and technical `details`.
 *
 * @implements {Types.LfdmError}
 */
export class LfdmError extends Error {
  /**
   * @param {Types.LfdmErrorCode} code
   * @param {string} message
   * @param {string} [details]
   */
  constructor(code, message, details) {
    super(message);
    this.name = 'LfdmError';
    this.code = code;
    this.details = details;
  }
}

/** An error with a sentence for the reader in `message`, a machine-readable `code` and technical `details`. */
export class LfdmError extends Error {
  constructor(code, message, details) {
    super(message);
    this.name = 'LfdmError';
    this.code = code;
    this.details = details;
  }
}

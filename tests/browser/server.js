// A static host as plain as they come: right MIME types, a sub-path, nothing else.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/**
 * May answer a request for `path` first, which is `file` here, and then returns true.
 *
 * @typedef {(request: IncomingMessage, response: ServerResponse, path: string, file: string) => unknown} Intercept
 */

export const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.safetensors': 'application/octet-stream',
};

/**
 * Serves the folder `root` below `prefix` on a free port; resolves to its address and a way to stop
 * it. `mounts` puts other folders in: `{ 'models/large/': '/folder' }`.
 *
 * @param {string} root
 * @param {{ prefix?: string, mounts?: Record<string, string>, intercept?: Intercept }} options
 */
export async function serve(root, { prefix = '/some/where/', mounts = {}, intercept } = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const relative = normalize(decodeURIComponent(pathname.slice(prefix.length)) || 'index.html');
    // Browsers ask for it where a page names no icon.
    if (pathname === '/favicon.ico') return void response.writeHead(204).end();
    try {
      if (!pathname.startsWith(prefix) || relative.startsWith('..')) throw new Error('outside');
      const [mount, folder] = Object.entries(mounts).find(([mount]) => relative.startsWith(mount)) ?? ['', root];
      const file = join(folder, relative.slice(mount.length));
      if (await intercept?.(request, response, relative, file)) return;
      const body = await readFile(file);
      const type = { 'content-type': TYPES[extname(relative)] ?? 'application/octet-stream', 'accept-ranges': 'bytes' };
      const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range) ?? [];
      if (start === undefined) {
        response.writeHead(200, { ...type, 'content-length': body.length });
        response.end(body);
      } else if (Number(start) < body.length) {
        response.writeHead(206, { ...type, 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` });
        response.end(body.subarray(Number(start)));
      } else {
        response.writeHead(416, { 'content-range': `bytes */${body.length}` });
        response.end();
      }
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' });
      response.end('not found');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        // What a browser keeps open for later.
        server.closeAllConnections();
      }),
  };
}

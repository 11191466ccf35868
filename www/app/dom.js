// Small words for building and finding elements.

/**
 * The element with this id. One that is missing, or of another kind, is a mistake in `index.html`.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof (kind ?? HTMLElement))) throw new Error(`index.html has no ${kind?.name ?? ''} #${id}`);
  return /** @type {T} */ (element);
}

/**
 * `make('a', { href, dataset: { testid } }, child, …)`: an element with its properties and
 * children, less those that are null.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Omit<Partial<HTMLElementTagNameMap[T]>, 'dataset'> & { dataset?: Record<string, string> }} properties
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, { dataset = {}, ...properties }, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, dataset);
  element.append(...children.filter((child) => child != null));
  return element;
}

/** @param {string} word */
export function capitalised(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/**
 * @param {Uint8ClampedArray<ArrayBuffer>} data
 * @param {number} width
 * @param {number} height
 */
export function canvasOf(data, width, height) {
  const canvas = make('canvas', { width, height });
  context(canvas).putImageData(new ImageData(data, width, height), 0, 0);
  return canvas;
}

/** @typedef {[x: number, y: number, width: number, height: number]} Rectangle */

/**
 * Fills `canvas` with `source`, or with its part `crop`, enlarged smoothly.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} source
 * @param {Rectangle} [crop]
 */
export function fill(canvas, source, crop = [0, 0, source.width, source.height]) {
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.drawImage(source, ...crop, 0, 0, canvas.width, canvas.height);
}

/**
 * Shows all of `source` on `canvas`, as large as it fits.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} source
 */
export function fit(canvas, source) {
  const scale = Math.min(canvas.width / source.width, canvas.height / source.height);
  const [width, height] = [source.width * scale, source.height * scale];
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.drawImage(source, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

/**
 * Kept in main memory: frames are small, read back for saving, and a GPU canvas may change the last bit of a colour.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function context(canvas) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser draws nothing');
  return context;
}

/** @param {HTMLElement} toggle */
export function isPressed(toggle) {
  return toggle.getAttribute('aria-pressed') === 'true';
}

/**
 * @param {HTMLElement} toggle
 * @param {boolean} pressed
 */
export function press(toggle, pressed) {
  toggle.setAttribute('aria-pressed', `${pressed}`);
}

/**
 * Hides `element` or shows it. A focus within it passes to `heir`: otherwise the next Tab would start at the top.
 *
 * @param {HTMLElement} element
 * @param {boolean} hidden
 * @param {HTMLElement} heir
 */
export function hide(element, hidden, heir) {
  const hadFocus = hidden && element.contains(document.activeElement);
  element.hidden = hidden;
  if (hadFocus) heir.focus();
}

export function wantsStillness() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/**
 * Whether `text` was copied: browsers have no clipboard for pages without https, and may refuse others.
 *
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

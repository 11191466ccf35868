// Small words for building and finding elements.

export const byId = (id) => document.getElementById(id);

/** `make('a', { href, dataset: { testid } }, child, …)`: an element with its properties and children; null children are left out. */
export function make(tag, { dataset = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, dataset);
  element.append(...children.filter((child) => child != null));
  return element;
}

export function capitalised(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export function canvasOf(data, width, height) {
  const canvas = make('canvas', { width, height });
  context(canvas).putImageData(new ImageData(data, width, height), 0, 0);
  return canvas;
}

/** Fills `canvas` with `source`, or with its part `crop`, enlarged smoothly. */
export function fill(canvas, source, crop = [0, 0, source.width, source.height]) {
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.drawImage(source, ...crop, 0, 0, canvas.width, canvas.height);
}

/** Shows all of `source` on `canvas`, as large as it fits. */
export function fit(canvas, source) {
  const scale = Math.min(canvas.width / source.width, canvas.height / source.height);
  const [width, height] = [source.width * scale, source.height * scale];
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.drawImage(source, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

/** Kept in main memory: frames are small, read back for saving, and a GPU canvas may change the last bit of a colour. */
export function context(canvas) {
  return canvas.getContext('2d', { willReadFrequently: true });
}

export function wantsStillness() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

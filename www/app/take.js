// One video: what was asked for and the pictures that came of it.

import { canvasOf, capitalised } from './dom.js';

export class Take {
  /** `{ result, flow, occlusion }` per frame, as canvases of the model's size, and `photo` in that of the picture, if it was asked for. */
  frames = [];
  done = false;
  /** Whether to show the picture itself, warped, rather than the model's small frames. */
  sharp = false;

  /** `request`: label, seed, steps, guidance. `portrait`: `{ sample, pixels }`. */
  constructor(request, portrait) {
    this.request = request;
    this.portrait = portrait;
    const { data, width, height } = portrait.pixels;
    const side = Math.min(width, height);
    this.still = canvasOf(data, width, height);
    /** The model looks at the centre square. */
    this.square = [Math.floor((width - side) / 2), Math.floor((height - side) / 2), side, side];
  }

  get title() {
    return `${capitalised(this.request.label)}, seed ${this.request.seed}`;
  }

  add({ rgba, flow, occlusion, photo, width, height }) {
    const [result, ...maps] = [rgba, flow, occlusion].map((pixels) => canvasOf(pixels, width, height));
    this.frames.push({ result, flow: maps[0], occlusion: maps[1], photo: photo && canvasOf(photo.rgba, photo.width, photo.height) });
  }

  /** The frame to show at `index`: the last one there is while more are being made. */
  frame(index) {
    return this.frames[Math.min(index, this.frames.length - 1)];
  }

  /** What the main screen shows of a frame. */
  picture(index) {
    const { result, photo } = this.frame(index);
    return (this.sharp && photo) || result;
  }
}

/** The motion of one frame of a step's preview, as a canvas of the flow grid's size. */
export function motionOf({ rgba, width, height }, share) {
  const length = width * height * 4;
  const index = Math.floor((rgba.length / length) * share);
  return canvasOf(rgba.slice(index * length, (index + 1) * length), width, height);
}

/** A video made ahead by the same model: a picture of frames side by side, their flow below, their occlusion below that. */
export async function takeOfStrip(url, request, portrait) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const side = image.naturalHeight / 3;
  const take = new Take(request, portrait);
  for (let x = 0; x < image.naturalWidth; x += side) {
    const [result, flow, occlusion] = [0, 1, 2].map((row) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
      canvas.getContext('2d').drawImage(image, x, row * side, side, side, 0, 0, side, side);
      return canvas;
    });
    take.frames.push({ result, flow, occlusion });
  }
  take.done = true;
  return take;
}

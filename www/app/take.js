// One video: what was asked for and the pictures that came of it.

import { canvasOf, capitalised, context, make } from './dom.js';

/** Longer sides of a whole picture are shown smaller than this. */
const WHOLE_SIDE = 1024;

export class Take {
  /** `{ result, flow, occlusion }` per frame, as canvases of the model's size, and `photo` in that of the picture, if it was asked for. */
  frames = [];
  done = false;
  /** Whether to show the picture itself, warped, rather than the model's small frames. */
  sharp = false;
  /** Whether to show it within the whole picture that it was cut out of. */
  whole = false;
  /** The canvas that the whole picture is drawn on, made when it is first asked for. */
  #page = null;

  /** `request`: label, seed, steps, guidance. `portrait`: `{ sample, pixels }`. `made`: the model that makes it, and its frames per second. */
  constructor(request, portrait, { model, fps }) {
    this.request = request;
    this.portrait = portrait;
    this.model = model;
    this.fps = fps;
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
    this.frames.push({
      result,
      flow: maps[0],
      occlusion: maps[1],
      photo: photo && canvasOf(photo.rgba, photo.width, photo.height),
    });
  }

  /** The frame to show at `index`: the last one there is while more are being made. */
  frame(index) {
    return this.frames[Math.min(index, this.frames.length - 1)];
  }

  /** What the main screen shows of a frame. */
  picture(index) {
    const { result, photo } = this.frame(index);
    if (this.whole && this.isPart && photo) return this.#within(photo);
    return (this.sharp && photo) || result;
  }

  /** Whether there is more of the picture than the model was given. */
  get isPart() {
    const { picture, crop } = this.portrait;
    return Boolean(picture) && (crop.side < picture.width || crop.side < picture.height);
  }

  /** Height against width of what `picture` returns. */
  get aspect() {
    const { picture } = this.portrait;
    return this.whole && this.isPart ? picture.height / picture.width : 1;
  }

  /** The picture with a frame in its place. The frame fades into the still picture toward its border, so no seam shows. */
  #within(photo) {
    const { picture, crop } = this.portrait;
    const scale = Math.min(1, WHOLE_SIDE / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) => Math.round(side * scale));
    this.#page ??= {
      canvas: make('canvas', { width, height }),
      picture: canvasOf(picture.data, picture.width, picture.height),
    };
    const target = context(this.#page.canvas);
    target.imageSmoothingQuality = 'high';
    target.drawImage(this.#page.picture, 0, 0, width, height);
    target.drawImage(photo, ...[crop.x, crop.y, crop.side, crop.side].map((length) => length * scale));
    return this.#page.canvas;
  }
}

/** The motion of one frame of a step's preview, as a canvas of the flow grid's size. */
export function motionOf({ rgba, width, height }, share) {
  const length = width * height * 4;
  const index = Math.floor((rgba.length / length) * share);
  return canvasOf(rgba.slice(index * length, (index + 1) * length), width, height);
}

/** A video made ahead by the same model: a picture of frames side by side, their flow below, their occlusion below that. */
export async function takeOfStrip(url, request, portrait, made) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const side = image.naturalHeight / 3;
  const take = new Take(request, portrait, made);
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

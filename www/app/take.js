// One video: what was asked for and the pictures that came of it.

import { canvasOf, context, make } from './dom.js';
import { expressionTitle } from './expression.js';

/** @import { FrameEvent, Picture } from '../../pkg/index.d.ts' */
/** @import { Portrait, Request } from '../types.d.ts' */
/** @import { Rectangle } from './dom.js' */
/** @typedef {{ result: HTMLCanvasElement, flow: HTMLCanvasElement, occlusion: HTMLCanvasElement,
 *   photo?: HTMLCanvasElement }} Frame */

/** Longer sides of a whole picture are shown smaller than this. */
const WHOLE_SIDE = 1024;

export class Take {
  /**
   * Canvases of the model's size, and `photo` of the picture's if that was asked for.
   *
   * @type {Frame[]}
   */
  frames = [];
  done = false;
  /** What was said when it was complete. */
  status = '';
  /** Whether to show the picture itself, warped, rather than the model's small frames. */
  sharp = false;
  /** Whether to show it within the whole picture that it was cut out of. */
  whole = false;
  /**
   * What the whole picture is drawn on, made when it is first asked for.
   *
   * @type {{ canvas: HTMLCanvasElement, picture: HTMLCanvasElement } | null}
   */
  #page = null;

  /**
   * @param {Request} request
   * @param {Portrait} portrait
   * @param {{ model: string, fps: number }} made the model that makes it, and its frames per second
   */
  constructor(request, portrait, { model, fps }) {
    this.request = request;
    this.portrait = portrait;
    this.model = model;
    this.fps = fps;
    this.still = stillOf(portrait);
  }

  get title() {
    return `${expressionTitle(this.request)}, seed ${this.request.seed}`;
  }

  /** @param {FrameEvent} frame */
  add({ rgba, flow, occlusion, photo, width, height }) {
    this.frames.push({
      result: canvasOf(rgba, width, height),
      flow: canvasOf(flow, width, height),
      occlusion: canvasOf(occlusion, width, height),
      photo: photo && canvasOf(photo.rgba, photo.width, photo.height),
    });
  }

  /**
   * The frame to show at `index`: the last one there is while more are being made.
   *
   * @param {number} index
   */
  frame(index) {
    return this.frames[Math.min(index, this.frames.length - 1)];
  }

  /**
   * What the main screen shows of a frame.
   *
   * @param {number} index
   */
  picture(index) {
    const { result, photo } = this.frame(index);
    return (this.whole && photo && this.#within(photo)) || (this.sharp && photo) || result;
  }

  /** Whether there is more of the picture than the model was given. */
  get isPart() {
    const { picture, crop } = this.portrait;
    return picture && crop ? crop.side < picture.width || crop.side < picture.height : false;
  }

  /** Height against width of what `picture` returns. */
  get aspect() {
    const { picture } = this.portrait;
    return this.whole && this.isPart && picture ? picture.height / picture.width : 1;
  }

  /**
   * The picture with a frame in its place. The frame fades into the still picture toward its border, so no seam shows.
   *
   * @param {HTMLCanvasElement} photo
   */
  #within(photo) {
    const { picture, crop } = this.portrait;
    if (!this.isPart || !picture || !crop) return null;
    const scale = Math.min(1, WHOLE_SIDE / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) => Math.round(side * scale));
    this.#page ??= {
      canvas: make('canvas', { width, height }),
      picture: canvasOf(picture.data, picture.width, picture.height),
    };
    const target = context(this.#page.canvas);
    target.imageSmoothingQuality = 'high';
    target.drawImage(this.#page.picture, 0, 0, width, height);
    target.drawImage(photo, crop.x * scale, crop.y * scale, crop.side * scale, crop.side * scale);
    return this.#page.canvas;
  }
}

/**
 * A portrait as a canvas, and the square in its middle that the model looks at.
 *
 * @param {Portrait} portrait
 * @returns {{ canvas: HTMLCanvasElement, square: Rectangle }}
 */
export function stillOf({ pixels: { data, width, height } }) {
  const side = Math.min(width, height);
  return {
    canvas: canvasOf(data, width, height),
    square: [Math.floor((width - side) / 2), Math.floor((height - side) / 2), side, side],
  };
}

/**
 * The motion of one frame of a step's preview, as a canvas of the flow grid's size.
 *
 * @param {Picture} preview
 * @param {number} share where in the video the frame is
 */
export function motionOf({ rgba, width, height }, share) {
  const length = width * height * 4;
  const index = Math.floor((rgba.length / length) * share);
  return canvasOf(rgba.slice(index * length, (index + 1) * length), width, height);
}

/**
 * A video made ahead by the same model: a picture of frames side by side, their flow below, their occlusion below that.
 *
 * @param {string} url
 * @param {Request} request
 * @param {Portrait} portrait
 * @param {{ model: string, fps: number }} made
 */
export async function takeOfStrip(url, request, portrait, made) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const side = image.naturalHeight / 3;
  const take = new Take(request, portrait, made);
  for (let x = 0; x < image.naturalWidth; x += side) {
    const [result, flow, occlusion] = [0, 1, 2].map((row) => {
      const canvas = make('canvas', { width: side, height: side });
      canvas.getContext('2d')?.drawImage(image, x, row * side, side, side, 0, 0, side, side);
      return canvas;
    });
    take.frames.push({ result, flow, occlusion });
  }
  take.done = true;
  return take;
}

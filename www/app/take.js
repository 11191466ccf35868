// One video: what was asked for and the pictures that came of it.

import { canvasOf, context, make } from './dom.js';
import { expressionTitle } from './expression.js';
import { mapsOf } from './maps.js';

/** @import { FrameEvent, Motion, PaintedEvent, Picture } from '../../pkg/index.d.ts' */
/** @import { Portrait, Request } from '../types.d.ts' */
/** @import { Rectangle } from './dom.js' */
/** @typedef {{ result: HTMLCanvasElement, flow?: HTMLCanvasElement, occlusion?: HTMLCanvasElement,
 *   photo?: HTMLCanvasElement }} Frame */

/** Sides of the sharp frames at most: a dozen videos of larger ones would fill a phone's memory. */
export const PHOTO_SIZE = 384;
const DOZEN = 12;
/** Longer sides of a whole picture are shown smaller than this. */
const WHOLE_SIDE = 1024;

export class Take {
  /**
   * Canvases of the model's size, and `photo` of the picture's if that was asked for.
   *
   * @type {Frame[]}
   */
  frames = [];
  /**
   * How the frames move, where that is known.
   *
   * @type {Motion[]}
   */
  motions = [];
  /** Height against width of what moves. */
  motionAspect = 1;
  /** How much of the motion is shown, and the frames with all of it. */
  intensity = 1;
  /** @type {Frame[]} */
  #original = [];
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
  add({ rgba, flow, occlusion, photo, width, height, motion }) {
    if (motion) this.motions.push(motion);
    this.motionAspect = height / width;
    this.frames.push({
      result: canvasOf(rgba, width, height),
      flow: canvasOf(flow, width, height),
      occlusion: canvasOf(occlusion, width, height),
      photo: photo && canvasOf(photo.rgba, photo.width, photo.height),
    });
  }

  /**
   * Puts a frame with less or more motion in the place of another.
   *
   * @param {number} index
   * @param {PaintedEvent} frame
   * @param {Motion} motion of that frame
   */
  replace(index, { rgba, photo, width, height }, motion) {
    if (!this.#original.length) this.#original = [...this.frames];
    this.frames[index] = {
      ...mapsOf(motion, { width, height }),
      result: canvasOf(rgba, width, height),
      photo: photo && canvasOf(photo.rgba, photo.width, photo.height),
    };
  }

  /** Back to the frames as they were made. */
  restore() {
    if (this.#original.length) this.frames = this.#original;
    this.#original = [];
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
    return this.compose(this.frame(index));
  }

  /**
   * All frames side by side, as the form shows expressions.
   *
   * @param {number} side of a frame
   */
  strip(side) {
    const strip = make('canvas', { width: this.frames.length * side, height: side });
    const target = context(strip);
    target.imageSmoothingQuality = 'high';
    this.frames.forEach(({ result, photo }, index) => target.drawImage(photo ?? result, index * side, 0, side, side));
    return strip;
  }

  /** The picture as it was, framed as the video is. */
  get before() {
    const { canvas, square } = this.still;
    const [x, y, side] = square;
    const cut = make('canvas', { width: side, height: side });
    context(cut).drawImage(canvas, x, y, side, side, 0, 0, side, side);
    return this.compose({ result: cut, photo: cut });
  }

  /**
   * What is shown of a frame: in the whole picture, sharp, or as the model paints it.
   *
   * @param {Pick<Frame, 'result' | 'photo'>} frame
   * @param {number} side of the whole picture, the longer one, at most
   */
  compose({ result, photo }, side = WHOLE_SIDE) {
    return (this.whole && photo && this.#within(photo, side)) || (this.sharp && photo) || result;
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
   * @param {number} side
   */
  #within(photo, side) {
    const { picture, crop } = this.portrait;
    if (!this.isPart || !picture || !crop) return null;
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) => Math.round(side * scale));
    if (this.#page?.canvas.width !== width) {
      this.#page = {
        canvas: make('canvas', { width, height }),
        picture: canvasOf(picture.data, picture.width, picture.height),
      };
    }
    const target = context(this.#page.canvas);
    target.imageSmoothingQuality = 'high';
    target.drawImage(this.#page.picture, 0, 0, width, height);
    target.drawImage(photo, crop.x * scale, crop.y * scale, crop.side * scale, crop.side * scale);
    return this.#page.canvas;
  }
}

/**
 * Sides of the sharp frames of so many videos that are made together: those of more than a dozen are smaller.
 *
 * @param {number} count
 */
export function photoSizeOf(count) {
  return Math.round(PHOTO_SIZE * Math.min(1, Math.sqrt(DOZEN / count)));
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
 * The frames of a video made ahead: a picture of them side by side.
 *
 * @param {string} url
 * @returns {Promise<Frame[]>}
 */
export async function framesOfStrip(url) {
  // An `Image` would be decoded once more, on this thread, when it is drawn.
  const strip = await createImageBitmap(await (await fetch(url)).blob());
  const side = strip.height;
  const frames = Array.from({ length: Math.round(strip.width / side) }, (_, index) => {
    const result = make('canvas', { width: side, height: side });
    context(result).drawImage(strip, index * side, 0, side, side, 0, 0, side, side);
    return { result };
  });
  strip.close();
  return frames;
}

/** Where the model runs. `auto` takes WebGPU when the browser offers a real (not a software) adapter. */
export type DeviceKind = 'webgpu' | 'cpu';

export interface DeviceInfo {
  kind: DeviceKind;
  /** Name of the adapter, or `CPU`. */
  name: string;
  /** Why the CPU was taken, if nobody asked for it. */
  reason?: string;
}

/** The part of a model's `manifest.json` that a page needs. */
export interface Manifest {
  name: string;
  /** Labels that `generate` accepts. */
  labels: string[];
  /** Frames per video. */
  frames: number;
  fps: number;
  /** Height and width of a frame in pixels. */
  image_size: [number, number];
  default_steps: number;
  default_guidance: number;
  licence: string;
}

export interface LoadOptions {
  /** Default: `auto`. `webgpu` also accepts a software adapter. */
  device?: 'auto' | DeviceKind;
  signal?: AbortSignal;
  /** Bytes of model files received so far, and in all. */
  onProgress?: (progress: { loaded: number; total: number }) => void;
  /** Ask the server again instead of using the browser's cache. */
  reload?: boolean;
}

export type ImageSource = Blob | ImageData | { data: Uint8ClampedArray; width: number; height: number };

export interface GenerateOptions {
  /** The portrait. Its centre square is used; transparent parts become white. */
  image: ImageSource;
  /** One of `manifest.labels`. */
  label: string;
  /** One seed gives one video, on every device. Default: 0. */
  seed?: number | bigint;
  /** Denoising steps, 1 to 1000. Default: `manifest.default_steps`. */
  steps?: number;
  /** Strength of the label, 0 to 20. Default: `manifest.default_guidance`. */
  guidance?: number;
  /** Default: `dpm_solver_pp2m`. `ddpm` takes all of the schedule's steps, whatever `steps` says. */
  sampler?: 'dpm_solver_pp2m' | 'ddpm' | { ddim: { eta: number; times: 'trailing' | 'official' } };
  /** Put a `preview` into every step event. Default: false. */
  previews?: boolean;
  /**
   * Put a `photo` into every frame event: the picture itself, warped by the generated motion, with sides of at most this many pixels
   * (16 to 2048). Default: none.
   */
  photoSize?: number;
  /** Stops the computation within one step; the loop then throws the signal's reason. */
  signal?: AbortSignal;
}

/** RGBA pixels. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

export interface EncodedEvent {
  type: 'encoded';
}

export interface StepEvent {
  type: 'step';
  /** From 0. */
  index: number;
  total: number;
  /** With `previews`: the motion of all frames as far as it is known, in the size of the flow grid, one frame after the other in `rgba`. */
  preview?: Picture;
}

export interface FrameEvent {
  type: 'frame';
  /** From 0. */
  index: number;
  total: number;
  width: number;
  height: number;
  /** `width * height` RGBA pixels, as are the two below. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Motion against the portrait: hue is the direction, saturation the length. */
  flow: Uint8ClampedArray<ArrayBuffer>;
  /** Occlusion as grey: dark is painted anew, light is moved from the portrait. */
  occlusion: Uint8ClampedArray<ArrayBuffer>;
  /** With `photoSize`: the frame in the picture's own resolution. It fades into the still picture toward its border. */
  photo?: Picture;
}

export interface DoneEvent {
  type: 'done';
  timings: { encode_ms: number; denoise_ms: number; decode_ms: number; total_ms: number };
}

export type GenerateEvent = EncodedEvent | StepEvent | FrameEvent | DoneEvent;

export type LfdmErrorCode =
  | 'image'
  | 'options'
  | 'download'
  | 'model'
  | 'browser'
  | 'device'
  | 'device-lost'
  | 'crash'
  | 'disposed';

/** `message` is a sentence for the reader; `details` is for a bug report. */
export class LfdmError extends Error {
  readonly code: LfdmErrorCode;
  readonly details?: string;
  constructor(code: LfdmErrorCode, message: string, details?: string);
}

/** A model in a worker of its own. After a crash or a lost device the next call starts it again. */
export class Lfdm {
  private constructor();
  readonly manifest: Manifest;
  readonly device: DeviceInfo;

  /** Downloads and verifies the model at `url` (a folder with `manifest.json`) and moves it to the device. */
  static load(url: string | URL, options?: LoadOptions): Promise<Lfdm>;

  /**
   * Yields `encoded`, then a `step` per denoising step, then a `frame` per frame, then `done`.
   * Leaving the loop, or aborting `signal`, stops the computation within one step.
   */
  generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void>;

  /** Encodes equally sized RGBA frames as a looping GIF. */
  encodeGif(
    frames: Uint8ClampedArray[],
    options: { width: number; height: number; fps?: number },
  ): Promise<Blob>;

  /** Stops the worker and frees the model. */
  dispose(): void;
}

/** Reads a picture as upright RGBA pixels. Throws an `LfdmError` with code `image` if it cannot. */
export function decodeImage(source: ImageSource): Promise<{ data: Uint8ClampedArray; width: number; height: number }>;

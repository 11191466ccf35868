/** Where the model runs. */
export type DeviceKind = 'webgpu' | 'cpu';

export interface DeviceInfo {
  kind: DeviceKind;
  /** Name of the adapter, or `CPU`. */
  name: string;
  /** Whether the adapter is software, which computes on the CPU. Only `device: 'webgpu'` uses one. */
  software: boolean;
  /**
   * Whether the GPU offers half precision. The model does not use it: it computes in single precision
   * on every device.
   */
  f16: boolean;
  /** The most bytes that a GPU buffer, and a shader's view of one, can hold. */
  limits?: { maxBufferSize: number; maxStorageBufferBindingSize: number };
  /**
   * Workers that share the computation, once a model is loaded: 1 on a GPU. Those that cannot start
   * are missing in `threads` of the `done` event.
   */
  threads?: number;
  /**
   * Whether this browser runs the module with relaxed SIMD, once a model is loaded. It is faster on
   * the CPU; its pixels differ from the other module's by roundings.
   */
  relaxedSimd?: boolean;
  /** Why the model runs on the CPU although nobody asked for that: part of a sentence. */
  reason?: string;
  /** What the visitor can do to run it on the GPU: sentences. */
  advice?: string;
}

export interface StorageInfo {
  /** Whether the next visit finds the model in this browser, and needs neither a download nor a network. */
  kept: boolean;
  /** Why not: part of a sentence. The model then runs from memory. */
  reason?: string;
  /** Size of the model's files. */
  bytes: number;
  /**
   * Whether the server could not be reached, or has no model that this page can use (`problem`). The model is then the
   * one that this browser had stored.
   */
  offline: boolean;
  /** What is wrong with the model on the server, if the stored one goes on in its place. */
  problem?: { code: LfdmErrorCode; message: string; details?: string };
}

export interface StoredModel {
  /** The folder it was loaded from. */
  url: string;
  name: string;
  /** How many of its bytes are stored. Files that two models share count for both. */
  bytes: number;
  /** False for a download that was cut off; the next `load` resumes it. */
  complete: boolean;
}

export interface LoadProgress {
  /** What arrives: the WebAssembly module, then the files of the model. */
  part: 'program' | 'model';
  /** Bytes of it that have arrived. */
  loaded: number;
  /** All bytes of it; 0 if unknown, as with a module that the server compressed. */
  total: number;
  /** The part of `loaded` that was already stored in this browser. */
  stored: number;
  /** Bytes per second from the network over the last three seconds; 0 while unknown, and when nothing arrives. */
  speed: number;
  /**
   * Whether nothing has arrived for five seconds, or the connection is lost. The download goes on by itself once it is
   * back; one that stays silent fails after half a minute more, with the code `download`.
   */
  stalled: boolean;
  /** Whether another page of this origin downloads it, and this one waits for that. */
  shared: boolean;
}

/** The part of a model's `manifest.json` that a page needs. */
export interface Manifest {
  name: string;
  /** Labels that `generate` accepts. */
  labels: string[];
  /**
   * Which strengths the model learned from: the lowest and the highest sum in a clip, and the most
   * labels that a clip mixed. `generate` takes others too, but the model has to guess there.
   */
  strengths: { sum: [number, number]; labels: number };
  /** Frames per video. */
  frames: number;
  fps: number;
  /** Height and width of a frame in pixels. */
  imageSize: [number, number];
  /** Height and width of a `Motion` in cells. */
  motionSize: [number, number];
  defaultSteps: number;
  defaultGuidance: number;
  licence: string;
}

export interface LoadOptions {
  /**
   * `auto` uses WebGPU if the browser offers a real adapter, and the CPU if that does not answer, cannot be
   * opened or fails while the model is loaded. `webgpu` also accepts a software adapter, and fails with it.
   * [default: auto]
   */
  device?: 'auto' | DeviceKind;
  /**
   * Stops the download; the promise then rejects with the signal's reason. The next `load` resumes
   * the download.
   */
  signal?: AbortSignal;
  /** Called about twenty times a second while files arrive. */
  onProgress?: (progress: LoadProgress) => void;
  /**
   * Bypass the browser's HTTP cache. Stored files do not need this: they are kept and verified by
   * content. [default: false]
   */
  reload?: boolean;
  /** Refuse a model that needs more memory than this device has, before downloading it. [default: true] */
  checkMemory?: boolean;
  /**
   * How many workers share the computation on the CPU, 1 to 64; fewer if memory is short. The video
   * is the same to the last bit. All but one of them are shared by the models of a page.
   * [default: one for each core, at most 4]
   */
  threads?: number;
  /**
   * Where `worker.js` is, with its modules beside it. On another origin it needs CORS.
   * [default: beside this module, or where the bundler put it]
   */
  workerUrl?: string | URL;
  /**
   * Where the WebAssembly module is: `lfdm_bg.wasm`, which every browser runs, or both builds.
   * [default: beside the worker]
   */
  wasmUrl?: string | URL | { plain: string | URL; relaxed?: string | URL };
}

/** The type that `ImageData` has for its pixels, whatever TypeScript's version calls it. */
export type Rgba = ImageData['data'];

/** RGBA, row by row. */
export interface Pixels {
  data: Rgba;
  width: number;
  height: number;
}

/** A file, pixels, the address of a picture, or anything that a canvas can draw. */
export type ImageSource = Blob | ImageData | Pixels | string | URL | CanvasImageSource;

/** What the face does: a label, or how strongly each of several counts. */
export type Expression =
  | {
      /** One of `manifest.labels`. */
      label: string;
      strengths?: undefined;
    }
  | {
      label?: undefined;
      /**
       * By label: 0 is neutral, 1 the label as it is. The sum is at most 2; for a model without the
       * label `neutral` it is 1. `manifest.strengths` says which the model learned from.
       */
      strengths: Record<string, number>;
    };

export type GenerateOptions = Expression & SamplingOptions;

export interface SamplingOptions {
  /** The portrait. Its centre square is used; transparent parts become white. */
  image: ImageSource;
  /** The same seed makes the same video on every device: 0 to 2^64 - 1, from 2^53 on as a bigint. [default: 0] */
  seed?: number | bigint;
  /** Denoising steps, 1 to 1000. [default: `manifest.defaultSteps`] */
  steps?: number;
  /** How far the label is exaggerated, 0 to 20. [default: `manifest.defaultGuidance`] */
  guidance?: number;
  /**
   * What guidance exaggerates the label against: any label at all, or `neutral`.
   * [default: the model's own]
   */
  contrast?: 'null' | 'neutral';
  /**
   * `consistency` works only with models that were tuned for it; `ddpm` takes every step of the
   * schedule, whatever `steps` says. [default: `consistency` for models tuned for it, else `deis`]
   */
  sampler?:
    | 'deis'
    | 'unipc'
    | 'dpm_solver_pp2m'
    | 'consistency'
    | 'ddpm'
    | { ddim: { eta: number; times: 'trailing' | 'official' } };
  /** Put a `preview` into every step event. [default: false] */
  previews?: boolean;
  /**
   * Put a `photo` into every frame event: the picture itself, warped by the generated motion, with
   * sides of at most this many pixels (16 to 2048). [default: no photo]
   */
  photoSize?: number;
  /**
   * Add an `ImageBitmap`, ready to be drawn, to every frame and its `photo`. The caller closes them.
   * [default: false]
   */
  bitmaps?: boolean;
  /** Put the frame's `motion` into every frame event, for `paint`. [default: false] */
  motions?: boolean;
  /** Stops the computation within one step; the loop then throws the signal's reason. */
  signal?: AbortSignal;
}

/** How a frame moves, on a coarse grid, row by row. */
export interface Motion {
  /**
   * Two numbers a cell, x and y: where in the picture it looks for its pixels. -1 and 1 are the picture's
   * outer edges, so a cell that stays put has the place of its middle.
   */
  flow: Float32Array;
  /** One number a cell: 1 is taken from the picture, 0 is painted anew. */
  occlusion: Float32Array;
}

export interface PaintOptions {
  /** The portrait that the motion was made for. */
  image: ImageSource;
  /** As `generate` gives them, or calculated from these: scaled, or between two of them. */
  motions: Motion[];
  /** As in `generate`. */
  photoSize?: number;
  bitmaps?: boolean;
  signal?: AbortSignal;
}

/** RGBA pixels. */
export interface Picture {
  width: number;
  height: number;
  rgba: Rgba;
  /** The same picture, if `bitmaps` was set; only a `photo` has one. */
  bitmap?: ImageBitmap;
}

export interface EncodedEvent {
  type: 'encoded';
}

export interface StepEvent {
  type: 'step';
  /** From 0. */
  index: number;
  total: number;
  /**
   * With `previews`: the motion of all frames so far, in the size of the flow grid. `rgba` holds one
   * frame after the other.
   */
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
  rgba: Rgba;
  /** Motion away from the portrait: hue is its direction, saturation its length. */
  flow: Rgba;
  /** Occlusion as grey: light parts come from the portrait, dark parts are repainted. */
  occlusion: Rgba;
  /** With `photoSize`: the frame in the picture's own resolution. It fades into the still picture toward its border. */
  photo?: Picture;
  /** The picture of `rgba`, if `bitmaps` was set. */
  bitmap?: ImageBitmap;
  /** The numbers behind `flow` and `occlusion`, if `motions` was set. */
  motion?: Motion;
}

/** A frame of motion that was given. */
export type PaintedEvent = Omit<FrameEvent, 'flow' | 'occlusion' | 'motion'>;

export interface DoneEvent {
  type: 'done';
  timings: { encodeMs: number; denoiseMs: number; decodeMs: number; totalMs: number };
  /** Workers that took part. In the first video helpers may come late, since nothing waits for them. */
  threads: number;
}

/**
 * The GPU was lost and the run starts again, which takes a while. The events that
 * follow continue where they stopped. A run restarts once; a second loss throws an error.
 */
export interface RestartedEvent {
  type: 'restarted';
  reason: LfdmError;
}

export type GenerateEvent = EncodedEvent | StepEvent | FrameEvent | DoneEvent | RestartedEvent;

/** The package's README says what each means, and what to do. */
export type LfdmErrorCode =
  | 'image'
  | 'options'
  | 'setup'
  | 'download'
  | 'model'
  | 'not-model'
  | 'outdated'
  | 'browser'
  | 'device'
  | 'device-lost'
  | 'memory'
  | 'crash'
  | 'disposed';

/** `message` is a sentence for the reader; `details` is for a bug report. */
export class LfdmError extends Error {
  readonly code: LfdmErrorCode;
  readonly details?: string;
  constructor(code: LfdmErrorCode, message: string, details?: string);
}

/**
 * A model in a worker of its own. After a crash the next call restarts it; a run that loses its
 * device restarts itself.
 */
export class Lfdm {
  private constructor();
  readonly manifest: Manifest;
  readonly device: DeviceInfo;
  readonly storage: StorageInfo;

  /**
   * Loads the model at `url`, a folder with `manifest.json`, and moves it to the device. Files that
   * this browser has stored are not downloaded again; every byte is verified by its SHA-256,
   * wherever it comes from.
   */
  static load(url: string | URL, options?: LoadOptions): Promise<Lfdm>;

  /**
   * Yields `encoded`, then a `step` per denoising step, then a `frame` per frame, then `done`.
   * Leaving the loop, or aborting `signal`, stops the computation within one step.
   */
  generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void>;

  /**
   * Paints frames of motion that is given: no diffusion, so it takes a fraction of the time. Leaving the loop, or
   * aborting `signal`, stops it within a frame.
   */
  paint(options: PaintOptions): AsyncGenerator<PaintedEvent, void, void>;

  /** Encodes equally sized RGBA frames as a looping GIF. [default: the model's size and speed] */
  encodeGif(frames: Uint8ClampedArray[], options?: { width?: number; height?: number; fps?: number }): Promise<Blob>;

  /** Bytes that the WebAssembly modules of all threads hold, for measuring. */
  memory(): Promise<{ wasm: number }>;

  /** Stops the worker and frees the model. */
  dispose(): void;
}

/**
 * The device that `Lfdm.load` would run a small model on, without loading one: to choose the model
 * by, or to tell the visitor beforehand. Rejects like `load` if `webgpu` is not available.
 */
export function probeDevice(device?: 'auto' | DeviceKind): Promise<DeviceInfo>;

/** The models that pages of this origin have stored in this browser, partial downloads included. */
export function storedModels(): Promise<StoredModel[]>;

/** Removes them all. Models in use go on; the next `load` downloads again. */
export function removeStoredModels(): Promise<void>;

/**
 * Reads a picture as upright RGBA pixels in sRGB, as an `<img>` shows it. Throws an `LfdmError` with code
 * `image` if it cannot.
 */
export function decodeImage(source: ImageSource): Promise<Pixels>;

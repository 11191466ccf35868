/** Where the model runs. `auto` takes WebGPU when the browser offers a real (not a software) adapter. */
export type DeviceKind = 'webgpu' | 'cpu';

export interface DeviceInfo {
  kind: DeviceKind;
  /** Name of the adapter, or `CPU`. */
  name: string;
  /** A GPU adapter that computes on the CPU; only taken if `device: 'webgpu'` asked for it. */
  software: boolean;
  /**
   * Whether the GPU offers half precision. The model computes in single precision on every device,
   * so it never depends on it.
   */
  f16: boolean;
  /** Bytes that a GPU buffer, and a shader's view of one, can have. */
  limits?: { maxBufferSize: number; maxStorageBufferBindingSize: number };
  /** Why the CPU was taken, if nobody asked for it: part of a sentence. */
  reason?: string;
  /** What the visitor can do to have the GPU used: sentences. */
  advice?: string;
}

export interface StorageInfo {
  /** Whether the next visit finds the model in this browser, without a download and without a network. */
  kept: boolean;
  /** Why not: part of a sentence. The model then runs from memory. */
  reason?: string;
  /** Size of the model's files. */
  bytes: number;
  /** The server could not be reached, so the model is the one that was stored here before. */
  offline: boolean;
}

export interface StoredModel {
  /** The folder that it was loaded from. */
  url: string;
  name: string;
  /** What is stored of it. Files that two models share count for both. */
  bytes: number;
  /** False for a download that was cut off; loading the model goes on where it stopped. */
  complete: boolean;
}

export interface LoadProgress {
  /** Bytes of model files that are here, and that the manifest lists in all. */
  loaded: number;
  total: number;
  /** The part of `loaded` that was already stored in this browser. */
  stored: number;
  /** Bytes per second from the network over the last three seconds; 0 while unknown. */
  speed: number;
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
  imageSize: [number, number];
  defaultSteps: number;
  defaultGuidance: number;
  licence: string;
}

export interface LoadOptions {
  /** Default: `auto`. `webgpu` also accepts a software adapter. */
  device?: 'auto' | DeviceKind;
  /**
   * Stops the download; the promise then rejects with the signal's reason. What has arrived
   * shortens the next download.
   */
  signal?: AbortSignal;
  /** Called about twenty times a second while files arrive. */
  onProgress?: (progress: LoadProgress) => void;
  /**
   * Ask the server past the browser's HTTP cache. Stored files need no such thing: they are kept
   * and verified by content.
   */
  reload?: boolean;
  /** Refuse a model that this device has no memory for, before downloading it (error code `memory`). Default: true. */
  checkMemory?: boolean;
}

/** RGBA, row by row. */
export interface Pixels {
  data: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

export type ImageSource = Blob | ImageData | Pixels;

export interface GenerateOptions {
  /** The portrait. Its centre square is used; transparent parts become white. */
  image: ImageSource;
  /** One of `manifest.labels`. */
  label: string;
  /** One seed gives one video, on every device. Default: 0. */
  seed?: number | bigint;
  /** Denoising steps, 1 to 1000. Default: `manifest.defaultSteps`. */
  steps?: number;
  /** Strength of the label, 0 to 20. Default: `manifest.defaultGuidance`. */
  guidance?: number;
  /**
   * Default: `deis`, or `consistency` for models that were tuned for it, and only for them. `ddpm`
   * takes all of the schedule's steps, whatever `steps` says.
   */
  sampler?:
    | 'deis'
    | 'unipc'
    | 'dpm_solver_pp2m'
    | 'consistency'
    | 'ddpm'
    | { ddim: { eta: number; times: 'trailing' | 'official' } };
  /** Put a `preview` into every step event. Default: false. */
  previews?: boolean;
  /**
   * Put a `photo` into every frame event: the picture itself, warped by the generated motion, with
   * sides of at most this many pixels (16 to 2048). Default: none.
   */
  photoSize?: number;
  /**
   * Frames (and their `photo`) also come as an `ImageBitmap`, ready to be drawn. Whoever asks for
   * them closes them. Default: false.
   */
  bitmaps?: boolean;
  /** Stops the computation within one step; the loop then throws the signal's reason. */
  signal?: AbortSignal;
}

/** RGBA pixels. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Of a `photo`, if `bitmaps` was set. */
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
   * With `previews`: the motion of all frames as far as it is known, in the size of the flow grid,
   * one frame after the other in `rgba`.
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
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Motion against the portrait: hue is the direction, saturation the length. */
  flow: Uint8ClampedArray<ArrayBuffer>;
  /** Occlusion as grey: dark is painted anew, light is moved from the portrait. */
  occlusion: Uint8ClampedArray<ArrayBuffer>;
  /** With `photoSize`: the frame in the picture's own resolution. It fades into the still picture toward its border. */
  photo?: Picture;
  /** The picture of `rgba`, if `bitmaps` was set. */
  bitmap?: ImageBitmap;
}

export interface DoneEvent {
  type: 'done';
  timings: { encodeMs: number; denoiseMs: number; decodeMs: number; totalMs: number };
}

/**
 * The graphics device was lost and the run starts again, which takes a while; the events that
 * follow go on where they had stopped. This happens at most once per run: a second loss throws an
 * error.
 */
export interface RestartedEvent {
  type: 'restarted';
  reason: LfdmError;
}

export type GenerateEvent = EncodedEvent | StepEvent | FrameEvent | DoneEvent | RestartedEvent;

export type LfdmErrorCode =
  'image' | 'options' | 'download' | 'model' | 'browser' | 'device' | 'device-lost' | 'memory' | 'crash' | 'disposed';

/** `message` is a sentence for the reader; `details` is for a bug report. */
export class LfdmError extends Error {
  readonly code: LfdmErrorCode;
  readonly details?: string;
  constructor(code: LfdmErrorCode, message: string, details?: string);
}

/**
 * A model in a worker of its own. After a crash the next call starts it again; a run whose device
 * is lost starts itself again.
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

  /** Encodes equally sized RGBA frames as a looping GIF. */
  encodeGif(frames: Uint8ClampedArray[], options: { width: number; height: number; fps?: number }): Promise<Blob>;

  /** Bytes that the WebAssembly module holds: for measuring. */
  memory(): Promise<{ wasm: number }>;

  /** Stops the worker and frees the model. */
  dispose(): void;
}

/**
 * What `Lfdm.load` with this `device` would run a small model on, without loading any: for choosing
 * the model, or for saying so beforehand. Rejects like `load` if `webgpu` cannot be had.
 */
export function probeDevice(device?: 'auto' | DeviceKind): Promise<DeviceInfo>;

/** The models that pages of this origin have stored in this browser, downloads that were cut off included. */
export function storedModels(): Promise<StoredModel[]>;

/** Removes them all. Models in use go on; the next `load` downloads again. */
export function removeStoredModels(): Promise<void>;

/** Reads a picture as upright RGBA pixels. Throws an `LfdmError` with code `image` if it cannot. */
export function decodeImage(source: ImageSource): Promise<Pixels>;

// What the page's modules hand to each other. Nothing of this is shipped: `npm run lint` in tests/browser checks the
// code against it.

import type { Lfdm, LoadProgress, Pixels } from '../pkg/index.d.ts';
import type { Take } from './app/take.js';

export type Awaitable<T> = T | Promise<T>;

/** What the page animates. */
export type CollectionName = 'faces' | 'figures';

/** A square in a picture's pixels. */
export interface Crop {
  x: number;
  y: number;
  side: number;
}

export interface Portrait {
  /** The name of a sample, or `OWN_PHOTO`. */
  sample: string;
  /** What the model is given. */
  pixels: Pixels;
  /** The picture that `pixels` were cut out of, and where: for the visitor's own. */
  picture?: Pixels;
  crop?: Crop;
  /** Tells the visitor's photo, as it is framed, from others: part of links, which say nothing else of it. */
  photo?: string;
}

/** A picture of the visitor's, framed. */
export type OwnPortrait = Required<Portrait>;

/** A picture of the visitor's, and how it is framed in the collections that it has been used in. */
export interface OwnPicture {
  picture: Pixels;
  framings: Partial<Record<CollectionName, Pick<OwnPortrait, 'photo' | 'crop'>>>;
}

/** What the form asks for. */
export interface Request {
  label: string;
  /** How strong the expression is [default: 1, the label as it is] */
  strength?: number;
  /** A second expression that is mixed in, and how strong that is. */
  mix?: string;
  mixStrength?: number;
  seed: number;
  steps: number;
  guidance: number;
  /** How much of the motion is shown [default: 1, all of it] */
  intensity?: number;
}

/** What a link or the model asks for: any of the form's fields. */
export interface Settings extends Partial<Request> {
  model?: string;
  sample?: string;
  /** Which of the visitor's photos, if that is the sample. */
  photo?: string;
  grid?: string;
}

export type ComparisonKind = 'expressions' | 'seeds';

/** Several videos shown side by side. */
export interface Comparison {
  kind: ComparisonKind;
  /** Part of the names of saved files. */
  name: string;
  columns: number;
  takes: Take[];
  /** Tells a video from the others. */
  caption(take: Take): string;
}

/** A wish in the queue: one video, or a comparison of several. */
export interface Job {
  portrait: Portrait;
  request: Request;
  compare: ComparisonKind | null;
}

/** What is on the stage. */
export type Shown =
  | { kind: 'nothing' }
  | { kind: 'portrait'; portrait: Portrait }
  /** A video that this model made earlier, until there is one of the visitor's own. */
  | { kind: 'example'; take: Take }
  /** A video, complete or in the making. */
  | { kind: 'video'; take: Take }
  | { kind: 'comparison'; comparison: Comparison };

/** What can be saved or shared. */
export type Video = { take: Take; comparison?: undefined } | { take?: undefined; comparison: Comparison };

/** Something to write into a file: `order` says which frames, in playing order, and `pictures` makes them. */
export interface Footage {
  name: string;
  width: number;
  height: number;
  order: number[];
  fps: number;
  /** A picture for each index, each to be used before the next is asked for. */
  pictures(indices: number[], signal: AbortSignal): AsyncGenerator<HTMLCanvasElement, void, void>;
  /** Small pictures that have all of its colours, each to be used before the next is asked for. */
  samples(): AsyncGenerator<HTMLCanvasElement, void, void>;
}

export interface SaveOptions {
  /** How often it is played in the file, where the format allows it. */
  rounds: number;
  /** `bytes` is how large the file is going to be, where that can be told. */
  onProgress: (fraction: number, bytes?: number) => void;
  encoder: () => Awaitable<Lfdm | null>;
  signal: AbortSignal;
}

/** Saves in one format. */
export type Save = (
  footage: Footage,
  options: SaveOptions,
) => Promise<{ blob: Blob; extension?: string; remark?: string }>;

export interface SessionEvents {
  /** A model is being downloaded. */
  onLoading(model: string): void;
  onProgress(progress: LoadProgress): void;
  onReady(lfdm: Lfdm): void;
  /** `retry` downloads it again. */
  onFailure(error: unknown, retry: () => void): void;
}

export type { Pixels };

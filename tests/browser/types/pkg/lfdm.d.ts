// The glue that `cargo xtask wasm` puts into pkg/, for checks without a build: src/web/ is what it is made of.

export class ComputeDevice {
  free(): void;
}

export class ModelLoader {
  constructor(manifest: Uint8Array);
  files(): any;
  rehearse(device: ComputeDevice): void;
  add(name: string, bytes: Uint8Array): void;
  finish(device: ComputeDevice): Model;
}

export class Model {
  private constructor();
  manifest(): any;
  generate(rgba: Uint8Array, width: number, height: number, options: any): Generation;
}

export class Generation {
  private constructor();
  free(): void;
  next(): Promise<any>;
  jobs(): Promise<any>;
  compute(job: any): Promise<any>;
  supply(output: any): void;
}

export function openDevice(kind: string): Promise<ComputeDevice>;
export function encodeGif(frames: Uint8ClampedArray[], width: number, height: number, fps: number): Uint8Array;
export function onPanic(callback: Function): void;

export default function init(options?: {
  module_or_path: WebAssembly.Module;
}): Promise<{ memory: WebAssembly.Memory; __wasm_call_ctors(): void }>;

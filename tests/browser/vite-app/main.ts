// What a developer would write first; the compiler checks the package's types with it.

import { Lfdm, LfdmError, probeDevice, type GenerateEvent, type LoadProgress } from 'lfdm-web';

const canvas = document.querySelector('canvas')!;
const seen: GenerateEvent['type'][] = [];
let progress: LoadProgress | undefined;

async function main(): Promise<string> {
  const { kind } = await probeDevice('cpu');
  const lfdm = await Lfdm.load(new URL('models/faces-64/', document.baseURI), {
    device: kind,
    onProgress: (event) => (progress = event),
  });
  const image = new ImageData(64, 64);
  image.data.fill(200);
  for await (const event of lfdm.generate({
    image,
    label: lfdm.manifest.labels[0]!,
    seed: 7n,
    steps: 1,
    bitmaps: true,
  })) {
    seen.push(event.type);
    if (event.type !== 'frame') continue;
    canvas.getContext('2d')!.drawImage(event.bitmap!, 0, 0);
    event.bitmap!.close();
    const pixels: Uint8ClampedArray = event.rgba;
    if (pixels.length !== event.width * event.height * 4) throw new Error('a frame of another size');
  }
  lfdm.dispose();
  return `${seen.filter((type) => type === 'frame').length} frames, ${progress?.loaded} bytes, ${lfdm.device.kind}`;
}

main().then(
  (result) => (document.title = `done: ${result}`),
  (error: unknown) =>
    (document.title = `failed: ${error instanceof LfdmError ? `${error.code}: ${error.message}` : error}`),
);

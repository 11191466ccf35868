// Pictures as people have them: each looks as an <img> of it does, or is called by its name.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, fixture, launch } from './harness.js';
import { PRIMARIES, profile, profiled } from './icc.js';
import { png } from './png.js';

/** The halves of the pictures in `fixtures/pictures`; what animations show later is green. */
const LEFT = [200, 60, 40];
const RIGHT = [40, 80, 200];
/** So much a gamma of 2.2 moves them away from the curve of sRGB, which is not quite that. */
const CURVE = 6;
const halves = (x) => [...(x < 8 ? LEFT : RIGHT), 255];

describe('pictures as people have them', { timeout: PATIENCE }, () => {
  let host;
  let visitor;
  before(async () => {
    host = await launch({ together: true });
    visitor = await host.visit('icon.svg');
  });
  after(() => host?.close());

  /** Size and some pixels, as the package reads a file and as the browser draws it. */
  const look = (file, type = '') =>
    visitor.withPackage(
      async ({ decodeImage }, _, { base64, type }) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const blob = new Blob([bytes], { type });
        const image = new Image();
        image.src = URL.createObjectURL(blob);
        const ours = await decodeImage(blob).catch((error) => ({ error: `${error.code}: ${error.message}` }));
        if ('error' in ours) return { error: ours.error };
        await image.decode();
        const { data, width, height } = ours;
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0, width, height);
        const shown = context.getImageData(0, 0, width, height).data;
        let difference = 0;
        for (let i = 0; i < data.length; i++) difference = Math.max(difference, Math.abs(data[i] - shown[i]));
        const at = (x, y) => [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 4)];
        const places = [Math.floor(width * 0.2), Math.floor(width * 0.8)];
        return { width, height, difference, pixels: places.map((x) => at(x, Math.floor(height / 2))) };
      },
      { base64: file.toString('base64'), type },
    );
  const near = (pixel, colour, tolerance) =>
    colour.every((value, channel) => Math.abs(pixel[channel] - value) <= tolerance);

  describe('of wide gamut', () => {
    for (const name of Object.keys(PRIMARIES)) {
      test(name, async () => {
        const seen = await look(profiled(png(16, 16, halves), profile(PRIMARIES[name])));
        assert.ok(seen.difference <= 1, `${seen.difference} of 255 from the <img>`);
        const isChanged = !near(seen.pixels[0], LEFT, CURVE);
        assert.equal(isChanged, name !== 'sRGB', `${seen.pixels[0]} for ${LEFT}`);
      });
    }

    test('primaries that changed places', async () => {
      const [red, green, blue] = PRIMARIES.sRGB;
      const seen = await look(profiled(png(16, 16, halves), profile([green, blue, red])));
      assert.ok(near(seen.pixels[0], [LEFT[2], LEFT[0], LEFT[1]], CURVE), `${seen.pixels[0]}`);
      assert.ok(seen.difference <= 1);
    });

    test('larger than the page needs', async () => {
      const wide = png(2600, 1300, (x) => [...(x < 1300 ? LEFT : RIGHT), 255]);
      const seen = await look(profiled(wide, profile(PRIMARIES['Display P3'])));
      assert.deepEqual([seen.width, seen.height], [2048, 1024]);
      assert.ok(seen.pixels[0][0] > LEFT[0] + 5, `${seen.pixels[0]}`);
    });
  });

  /** @type {Record<string, [tolerance: number, type?: string]>} */
  const files = {
    'cmyk.jpg': [6],
    'animated.gif': [0],
    'animated.webp': [0],
    'animated.png': [0],
    'still.webp': [0],
    'still.avif': [4],
    'still.bmp': [0],
    'palette.png': [0],
  };
  for (const [name, [tolerance]] of Object.entries(files)) {
    test(name, async () => {
      const seen = await look(await readFile(fixture(`pictures/${name}`)));
      assert.deepEqual([seen.width, seen.height], [16, 16]);
      assert.ok(near(seen.pixels[0], LEFT, tolerance) && near(seen.pixels[1], RIGHT, tolerance), `${seen.pixels}`);
      assert.ok(seen.difference <= 1, `${seen.difference} of 255 from the <img>`);
    });
  }

  test('grey, 16 bits, alpha, and upright by EXIF', async () => {
    const grey = await look(await readFile(fixture('pictures/grey.jpg')));
    assert.ok(grey.pixels.every(([red, green, blue]) => red === green && green === blue));
    assert.ok(grey.pixels[0][0] > grey.pixels[1][0], `${grey.pixels}`);
    const twice = (x) =>
      halves(x)
        .slice(0, 3)
        .flatMap((value) => [value, value]);
    const deep = await look(png(16, 16, twice, { deep: true }));
    assert.deepEqual(deep.pixels, [halves(0), halves(15)]);
    const clear = await look(png(16, 16, (x) => [200, 100, 50, x < 8 ? 128 : 0]));
    assert.ok(near(clear.pixels[0], [200, 100, 50, 128], 1), `${clear.pixels}`);
    assert.equal(clear.pixels[1][3], 0);
    const { width, height, difference } = await look(await readFile(fixture('rotated.jpg')));
    assert.deepEqual([width, height], [64, 96], 'EXIF orientation 6 turns 96x64 into 64x96');
    assert.ok(difference <= 1);
  });

  test('a speck, and a strip', async () => {
    const speck = await look(png(1, 1, () => halves(0)));
    assert.deepEqual([speck.width, speck.height, speck.pixels[0]], [1, 1, halves(0)]);
    const strip = await look(png(10_000, 50, (x) => halves(x < 5000 ? 0 : 15)));
    assert.deepEqual([strip.width, strip.height, strip.pixels], [10_000, 50, [halves(0), halves(15)]]);
  });

  test('a drawing, sharp however small it says it is', async () => {
    const svg = (size) =>
      Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 16 16">` +
          `<path fill="rgb(${LEFT})" d="M0 0h8v16H0z"/><path fill="rgb(${RIGHT})" d="M8 0h8v16H8z"/></svg>`,
      );
    const seen = await look(svg('width="16" height="16"'), 'image/svg+xml');
    assert.deepEqual([seen.width, seen.height], [1024, 1024]);
    assert.deepEqual(seen.pixels, [halves(0), halves(15)]);
    const strip = await look(svg('width="1000" height="4" preserveAspectRatio="none"'), 'image/svg+xml');
    assert.deepEqual([strip.width, strip.height], [4096, 16]);
    assert.match((await look(Buffer.from('<svg'), 'image/svg+xml')).error, /^image: /);
  });

  test('what a page has: an address, an <img>, a canvas, a bitmap', async () => {
    const file = (await readFile(fixture('pictures/still.webp'))).toString('base64');
    const seen = await visitor.withPackage(async ({ decodeImage }, _, url) => {
      const image = new Image();
      image.src = url;
      await image.decode();
      const canvas = new OffscreenCanvas(16, 16);
      canvas.getContext('2d').drawImage(image, 0, 0);
      const sources = [url, new URL(url), image, canvas, await createImageBitmap(image)];
      const pictures = await Promise.all(sources.map(decodeImage));
      const missing = await decodeImage('nothing.png').catch(({ code, message }) => `${code}: ${message}`);
      return { missing, pixels: pictures.map(({ data, width, height }) => [width, height, ...data.slice(0, 4)]) };
    }, `data:image/webp;base64,${file}`);
    assert.deepEqual(seen.pixels, Array(5).fill([16, 16, ...halves(0)]));
    assert.match(seen.missing, /^image: .*could not be downloaded/);
  });

  test('pixels of another colour space, or of floats, look as they do on a canvas', async () => {
    const seen = await visitor.withPackage(async ({ decodeImage }) => {
      const wide = new ImageData(2, 2, { colorSpace: 'display-p3' });
      const red = [200, 40, 40, 255];
      wide.data.set([...red, ...red, ...red, ...red]);
      const { data, width, height } = await decodeImage(wide);
      const context = new OffscreenCanvas(2, 2).getContext('2d');
      context.putImageData(wide, 0, 0);
      return { pixel: [width, height, ...data.slice(0, 4)], shown: [...context.getImageData(0, 0, 1, 1).data] };
    });
    assert.deepEqual(seen.pixel, [2, 2, ...seen.shown]);
    assert.ok(seen.pixel[2] > 205, `a red that sRGB has further out: ${seen.pixel}`);
  });

  test('a HEIC photo is called that, with a way out for the device', async () => {
    const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(40)]);
    assert.match((await look(heic)).error, /HEIC photo, which this browser cannot read as a picture.*JPEG/);
    const ways = await visitor.page.evaluate(
      async (start) => {
        const { explain } = await import(new URL('pkg/formats.js', location.href).href);
        return ['iPhone', 'Android', 'Macintosh', 'Windows', 'Linux'].map((device) => explain(start, device));
      },
      [...heic],
    );
    assert.equal(new Set(ways).size, 5, 'each device has its own');
  });

  test('other files are called by their names', async () => {
    /** @type {[string, RegExp][]} */
    const others = [
      ['II*\0', /TIFF/],
      ['\0\0\0\x18ftypqt  ', /a video/],
      ['\0\0\0\x18ftypcrx ', /raw file/],
      ['%PDF-1.7', /a PDF/],
      ['8BPS', /Photoshop/],
      ['\xff\x0a', /JPEG XL/],
      ['\xff\xd8\xff\xe0', /JPEG cannot be read as a picture: it is damaged/],
      ['RIFF\0\0\0\0WEBP', /WebP .* damaged/],
      ['Dear diary', /cannot be read as a picture. Use a JPEG/],
    ];
    for (const [start, sentence] of others) {
      const file = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(80)]);
      assert.match((await look(file)).error, sentence, start);
    }
  });
});

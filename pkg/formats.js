// What kind of file somebody chose, by its first bytes: one that cannot be read is at least called by its name.

/** Bytes that tell. */
export const TELLING_BYTES = 64;

const HEIC = 'a HEIC photo';
const CONTAINERS = [
  [/^(hei|hev|mif1|msf1)/, HEIC],
  [/^avi[fs]/, 'an AVIF picture'],
  [/^crx /, 'a camera’s raw file'],
  [/^/, 'a video'],
];
/** Of what a browser reads, damaged. */
const READABLE = [
  [/^\xff\xd8\xff/, 'JPEG'],
  [/^\x89PNG/, 'PNG'],
  [/^GIF8/, 'GIF'],
  [/^RIFF....WEBP/s, 'WebP'],
  [/^BM/, 'BMP'],
];
const OTHERS = [
  [/^(II\*\0|MM\0\*)/, 'a TIFF picture or a camera’s raw file'],
  [/^(\xff\n|....JXL )/s, 'a JPEG XL picture'],
  [/^....jP {2}/s, 'a JPEG 2000 picture'],
  [/^8BPS/, 'a Photoshop file'],
  [/^%PDF/, 'a PDF'],
  [/^.E\xdf\xa3/s, 'a video'],
  [/^\s*(<\?xml|<svg|<!--)/, 'an SVG drawing'],
];

/** How to get a JPEG out of a HEIC photo, by what the browser says it runs on. */
const HEIC_WAYS = [
  [/iPhone|iPad/, 'Under Settings, Camera, Formats choose “Most Compatible”, or take a screenshot of the photo.'],
  [/Android/, 'Open it in your gallery, edit it and save a copy, or take a screenshot of it.'],
  [/Macintosh/, 'Open it in Preview and export it as JPEG, or use Safari, which reads HEIC.'],
  [/Windows/, 'Open it in Photos and save it as JPEG.'],
  [/^/, 'Save it as JPEG first.'],
];

/**
 * A sentence or two about a file that the browser could not decode.
 *
 * @param {Uint8Array} start its first bytes
 * @param {string} userAgent
 */
export function explain(start, userAgent = navigator.userAgent) {
  const text = String.fromCharCode(...start);
  const damaged = named(READABLE, text);
  if (damaged) return `This ${damaged} cannot be read as a picture: it is damaged or incomplete. Choose another file.`;
  const kind = text.slice(4, 8) === 'ftyp' ? named(CONTAINERS, text.slice(8)) : named(OTHERS, text);
  if (!kind) return 'This file cannot be read as a picture. Use a JPEG, PNG or WebP file.';
  const way = kind === HEIC ? named(HEIC_WAYS, userAgent) : 'Use a JPEG, PNG or WebP file.';
  return `This is ${kind}, which this browser cannot read as a picture. ${way}`;
}

/**
 * @param {(string | RegExp)[][]} table
 * @param {string} text
 */
function named(table, text) {
  return table.find(([pattern]) => new RegExp(pattern).test(text))?.[1];
}

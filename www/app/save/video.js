// WebM and MP4. Browsers with WebCodecs encode frame by frame, and mediabunny, downloaded when it
// is first needed, puts the file together. Others record the frames in real time.

import { LfdmError } from '../../pkg/index.js';
import { context, make } from '../dom.js';
import { breath, drawn } from './frames.js';

/** @import { VideoCodec } from 'mediabunny' */
/** @import { Footage, Save } from '../../types.d.ts' */
/** @typedef {'webm' | 'mp4'} Container */
/** @typedef {(fraction: number) => void} OnProgress */

/** Named by address, not by path: the checks then take its types from the package. */
const MEDIABUNNY = new URL('../../vendor/mediabunny/mediabunny.js', import.meta.url).href;
/**
 * Best first. H.264 is what every program plays; some browsers cannot write it.
 *
 * @type {Record<Container, VideoCodec[]>}
 */
const CODECS = { webm: ['vp9', 'vp8', 'av1'], mp4: ['avc', 'av1', 'vp9'] };
const RECORDED = {
  webm: ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'],
  mp4: ['video/mp4;codecs=avc1.42E01E', 'video/mp4'],
};
/** @type {Partial<Record<VideoCodec, string>>} */
const NAMES = { avc: 'H.264', av1: 'AV1', vp9: 'VP9', vp8: 'VP8' };
/** Small pictures with soft edges: far above what they need. */
const BITRATE = 4e6;

/**
 * @param {Container} container
 * @returns {Save}
 */
export function saveVideo(container) {
  return async (footage, { onProgress }) => {
    const even = {
      ...footage,
      width: footage.width + (footage.width % 2),
      height: footage.height + (footage.height % 2),
    };
    const encoded = 'VideoEncoder' in globalThis && (await encode(container, even, onProgress));
    return encoded || record(container, even, onProgress);
  };
}

/**
 * Null if this browser encodes none of the codecs.
 *
 * @param {Container} container
 * @param {Footage} footage
 * @param {OnProgress} onProgress
 */
async function encode(container, footage, onProgress) {
  /** @type {typeof import('mediabunny')} */
  const { BufferTarget, CanvasSource, Mp4OutputFormat, Output, WebMOutputFormat, getFirstEncodableVideoCodec } =
    await import(MEDIABUNNY);
  const { width, height, fps } = footage;
  const codec = await getFirstEncodableVideoCodec(CODECS[container], { width, height, bitrate: BITRATE });
  if (!codec) return null;
  const format = container === 'webm' ? new WebMOutputFormat() : new Mp4OutputFormat({ fastStart: 'in-memory' });
  const target = new BufferTarget();
  const output = new Output({ format, target });
  let source = null;
  for (const { canvas, place, done } of drawn(footage)) {
    if (!source) {
      source = new CanvasSource(canvas, { codec, bitrate: BITRATE });
      output.addVideoTrack(source, { frameRate: fps });
      await output.start();
    }
    await source.add(place / fps, 1 / fps);
    onProgress(done);
    await breath();
  }
  await output.finalize();
  const remark =
    container === 'mp4' && codec !== 'avc'
      ? `This browser wrote it as ${NAMES[codec]}, which older players may not know.`
      : '';
  if (!target.buffer) throw new Error('the encoder wrote nothing');
  return { blob: new Blob([target.buffer], { type: `video/${container}` }), remark };
}

/**
 * Plays the frames to a recorder, which takes as long as the video does.
 *
 * @param {Container} container
 * @param {Footage} footage
 * @param {OnProgress} onProgress
 */
async function record(container, footage, onProgress) {
  const mimeType = RECORDED[container].find((type) => globalThis.MediaRecorder?.isTypeSupported(type));
  if (!mimeType) {
    throw new LfdmError('browser', `This browser cannot write ${container.toUpperCase()} files. Save a GIF instead.`);
  }
  const screen = make('canvas', { width: footage.width, height: footage.height });
  const target = context(screen);
  const stream = screen.captureStream(0);
  const [track] = /** @type {CanvasCaptureMediaStreamTrack[]} */ (stream.getVideoTracks());
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITRATE });
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = ({ error }) => reject(error ?? new Error('the recorder failed'));
  });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1000 / footage.fps));
  recorder.start();
  for (const { canvas, done } of drawn(footage)) {
    target.drawImage(canvas, 0, 0);
    track.requestFrame();
    await pause();
    onProgress(done);
  }
  recorder.stop();
  await stopped;
  track.stop();
  return { blob: new Blob(chunks, { type: mimeType }) };
}

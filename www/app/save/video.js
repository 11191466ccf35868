// WebM and MP4. Browsers with WebCodecs encode frame by frame, and mediabunny, downloaded when it
// is first needed, puts the file together. Others record the frames in real time.

import { LfdmError } from '../../pkg/index.js';
import { context, make } from '../dom.js';
import { drawn } from './frames.js';

/** @import { EncodedPacket, VideoCodec } from 'mediabunny' */
/** @import { Footage, Save, SaveOptions } from '../../types.d.ts' */
/** @typedef {'webm' | 'mp4'} Container */
/** @typedef {[packet: EncodedPacket, meta: EncodedVideoChunkMetadata | undefined]} Encoded */

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
/** Bits for a pixel and frame: soft pictures of which little moves need less. */
const BITS = 0.25;
const BITRATE = { least: 2e6, most: 16e6 };

/**
 * @param {Container} container
 * @returns {Save}
 */
export function saveVideo(container) {
  return async (footage, options) => {
    const even = {
      ...footage,
      width: footage.width + (footage.width % 2),
      height: footage.height + (footage.height % 2),
    };
    const encoded = 'VideoEncoder' in globalThis && (await encode(container, even, options));
    return encoded || record(container, even, options);
  };
}

/**
 * Null if this browser encodes none of the codecs.
 *
 * @param {Container} container
 * @param {Footage} footage
 * @param {SaveOptions} options
 */
async function encode(container, footage, { rounds, onProgress, signal }) {
  /** @type {typeof import('mediabunny')} */
  const { CanvasSource, getFirstEncodableVideoCodec } = await import(MEDIABUNNY);
  const { width, height, fps } = footage;
  const bitrate = bitrateOf(footage);
  const codec = await getFirstEncodableVideoCodec(CODECS[container], { width, height, bitrate });
  if (!codec) return null;
  /** @type {Encoded[]} */
  const packets = [];
  const file = await begin(container);
  let source = null;
  for await (const { canvas, place, done } of drawn(footage, signal)) {
    if (!source) {
      source = new CanvasSource(canvas, { codec, bitrate, onEncodedPacket: (...packet) => packets.push(packet) });
      file.output.addVideoTrack(source, { frameRate: fps });
      await file.output.start();
    }
    await source.add(place / fps, 1 / fps);
    onProgress(done);
  }
  let bytes = await file.finish();
  if (rounds > 1) bytes = await repeated(container, codec, packets, footage, rounds);
  const remark =
    container === 'mp4' && codec !== 'avc'
      ? `This browser wrote it as ${NAMES[codec]}, which older players may not know.`
      : '';
  return { blob: new Blob([bytes], { type: `video/${container}` }), remark };
}

/**
 * The same frames several times over. Nothing is encoded again: the first frame of each round needs no other.
 *
 * @param {Container} container
 * @param {VideoCodec} codec
 * @param {Encoded[]} packets
 * @param {Footage} footage
 * @param {number} rounds
 */
async function repeated(container, codec, packets, { fps, order }, rounds) {
  /** @type {typeof import('mediabunny')} */
  const { EncodedVideoPacketSource } = await import(MEDIABUNNY);
  const source = new EncodedVideoPacketSource(codec);
  const file = await begin(container);
  file.output.addVideoTrack(source, { frameRate: fps });
  await file.output.start();
  for (let round = 0; round < rounds; round++) {
    for (const [packet, meta] of packets) {
      await source.add(packet.clone({ timestamp: packet.timestamp + (round * order.length) / fps }), meta);
    }
  }
  return file.finish();
}

/** @param {Container} container */
async function begin(container) {
  /** @type {typeof import('mediabunny')} */
  const { BufferTarget, Mp4OutputFormat, Output, WebMOutputFormat } = await import(MEDIABUNNY);
  const format = container === 'webm' ? new WebMOutputFormat() : new Mp4OutputFormat({ fastStart: 'in-memory' });
  const target = new BufferTarget();
  const output = new Output({ format, target });
  return {
    output,
    async finish() {
      await output.finalize();
      if (!target.buffer) throw new Error('the encoder wrote nothing');
      return target.buffer;
    },
  };
}

/** @param {Footage} footage */
function bitrateOf({ width, height, fps }) {
  return Math.round(Math.min(Math.max(BITS * width * height * fps, BITRATE.least), BITRATE.most));
}

/**
 * Plays the frames to a recorder, which takes as long as the video does.
 *
 * @param {Container} container
 * @param {Footage} footage
 * @param {SaveOptions} options
 */
async function record(container, footage, { onProgress, signal }) {
  const mimeType = RECORDED[container].find((type) => globalThis.MediaRecorder?.isTypeSupported(type));
  if (!mimeType) {
    throw new LfdmError('browser', `This browser cannot write ${container.toUpperCase()} files. Save a GIF instead.`);
  }
  const screen = make('canvas', { width: footage.width, height: footage.height });
  const target = context(screen);
  const stream = screen.captureStream(0);
  const [track] = /** @type {CanvasCaptureMediaStreamTrack[]} */ (stream.getVideoTracks());
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: bitrateOf(footage) });
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = ({ error }) => reject(error ?? new Error('the recorder failed'));
  });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1000 / footage.fps));
  recorder.start();
  for await (const { canvas, done } of drawn(footage, signal)) {
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

// A picture from the camera. The stream is open only while the dialog is.

import { LfdmError } from '../pkg/index.js';
import { byId, context, make } from './dom.js';

const REFUSALS = {
  NotAllowedError: 'This page may not use the camera. Allow it in the browser’s address bar, then try again.',
  NotFoundError: 'No camera was found. Connect one, or choose a file instead.',
  NotReadableError: 'Another program is using the camera. Close it, then try again.',
};

export class Camera {
  #dialog = byId('camera', HTMLDialogElement);
  #video = byId('camera-video', HTMLVideoElement);
  #shoot = byId('camera-shoot', HTMLButtonElement);

  /** Cameras are offered to pages from `https:` and `localhost` only. */
  static isOffered() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  /**
   * Resolves to the picture as seen in the mirror, or to null if the visitor closed the dialog.
   *
   * @returns {Promise<ImageData | null>}
   * @throws {LfdmError}
   */
  async takePicture() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1280 } } });
    } catch (error) {
      throw new LfdmError(
        'image',
        REFUSALS[error.name] ?? 'The camera could not be opened. Choose a file instead.',
        `${error}`,
      );
    }
    this.#video.srcObject = stream;
    this.#shoot.disabled = true;
    this.#dialog.showModal();
    try {
      return await new Promise((resolve) => {
        this.#video.onplaying = () => (this.#shoot.disabled = false);
        this.#shoot.onclick = () => resolve(mirrored(this.#video));
        byId('camera-cancel').onclick = () => resolve(null);
        this.#dialog.onclose = () => resolve(null);
        // It may be refused while the page is hidden; the video's own attribute starts it later.
        this.#video.play().catch(() => {});
      });
    } finally {
      for (const track of stream.getTracks()) track.stop();
      this.#video.srcObject = null;
      this.#dialog.close();
    }
  }
}

/** @param {HTMLVideoElement} video */
function mirrored(video) {
  const canvas = make('canvas', { width: video.videoWidth, height: video.videoHeight });
  const target = context(canvas);
  target.setTransform(-1, 0, 0, 1, canvas.width, 0);
  target.drawImage(video, 0, 0);
  return target.getImageData(0, 0, canvas.width, canvas.height);
}

// Shows a portrait, then plays the frames of a video with its flow field and occlusion map beside it.

export class Player {
  #screens;
  #button;
  #frames = [];
  #index = 0;
  #timer = null;
  #interval = 125;

  /** `screens`: canvases `result`, `portrait`, `flow` and `occlusion`; `button` pauses and resumes. */
  constructor(screens, button) {
    this.#screens = screens;
    this.#button = button;
    button.addEventListener('click', () => (this.#timer ? this.pause() : this.play()));
    // Nobody watches a hidden page, and timers there would only drift.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#stopTimer();
      else if (!this.#button.hidden && this.#button.dataset.playing === 'true') this.play();
    });
  }

  /** The still picture before there is a video: the centre square of `pixels`. */
  showPortrait({ data, width, height }) {
    this.clear();
    const source = toCanvas(data, width, height);
    const side = Math.min(width, height);
    const crop = [Math.floor((width - side) / 2), Math.floor((height - side) / 2), side, side];
    for (const canvas of [this.#screens.result, this.#screens.portrait]) draw(canvas, source, crop);
  }

  /** Forgets the video; the last picture stays until another is drawn. */
  clear() {
    this.#stopTimer();
    this.#frames = [];
    this.#index = 0;
    this.#button.hidden = true;
    for (const canvas of [this.#screens.flow, this.#screens.occlusion]) {
      canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
    }
  }

  /** Adds a frame and shows it at once. */
  add({ rgba, flow, occlusion, width, height }) {
    const pictures = { result: rgba, flow, occlusion };
    this.#frames.push(Object.fromEntries(Object.entries(pictures).map(([name, pixels]) => [name, toCanvas(pixels, width, height)])));
    this.#show(this.#frames.length - 1);
  }

  /** Loops the frames. Someone who asked for less motion starts it by hand. */
  start(fps) {
    this.#interval = 1000 / fps;
    this.#button.hidden = false;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.pause();
    else this.play();
  }

  play() {
    this.#stopTimer();
    this.#timer = setInterval(() => this.#show((this.#index + 1) % this.#frames.length), this.#interval);
    this.#label(true);
  }

  pause() {
    this.#stopTimer();
    this.#label(false);
  }

  /** The frames enlarged to `side` pixels as RGBA, smoothed as on the screen. */
  enlarged(side) {
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
    return this.#frames.map(({ result }) => {
      draw(canvas, result);
      return context(canvas).getImageData(0, 0, side, side).data;
    });
  }

  #show(index) {
    this.#index = index;
    for (const [name, source] of Object.entries(this.#frames[index])) draw(this.#screens[name], source);
  }

  #label(playing) {
    this.#button.dataset.playing = playing;
    this.#button.setAttribute('aria-label', playing ? 'Pause' : 'Play');
  }

  #stopTimer() {
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function toCanvas(data, width, height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  context(canvas).putImageData(new ImageData(data, width, height), 0, 0);
  return canvas;
}

function draw(canvas, source, crop = [0, 0, source.width, source.height]) {
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.drawImage(source, ...crop, 0, 0, canvas.width, canvas.height);
}

function context(canvas) {
  return canvas.getContext('2d', { willReadFrequently: true });
}

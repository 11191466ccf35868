// What the model runs on: what the visitor wants, what came of it, and why.

import { byId } from './dom.js';

/** @import { DeviceInfo, DeviceKind } from '../../pkg/index.d.ts' */
/** @typedef {'auto' | DeviceKind} Wish */

/** Errors that another device may not have. */
const OF_THE_DEVICE = ['device', 'device-lost', 'crash'];

export class DeviceChoice {
  #select = byId('device-choice', HTMLSelectElement);
  #line = byId('device');
  #why = byId('device-why');
  #advice = byId('device-advice');
  /**
   * Of the model in use.
   *
   * @type {DeviceKind | undefined}
   */
  #kind;

  /** @param {{ onChoose: (wish: Wish) => void }} events */
  constructor({ onChoose }) {
    const named = new URLSearchParams(location.search).get('device');
    const { options } = this.#select;
    this.#select.value = [...options].find(({ value }) => value === named)?.value ?? 'auto';
    this.#select.addEventListener('change', () => {
      this.#remember();
      onChoose(this.wish);
    });
  }

  get wish() {
    return /** @type {Wish} */ (this.#select.value);
  }

  set wish(wish) {
    this.#select.value = wish;
    this.#remember();
  }

  /** @param {DeviceInfo} device of the model that has been loaded */
  show({ kind, name, threads, reason, advice }) {
    this.#kind = kind;
    this.#line.dataset.kind = kind;
    this.#line.textContent =
      kind === 'webgpu' ? `Runs on your GPU (${name})` : `Runs on your CPU${reason ? `: ${reason}` : ''}`;
    const cores = threads === 1 ? 'one core' : `${threads} cores`;
    this.#why.textContent =
      kind === 'webgpu' ? `Now: the GPU, ${name}.` : `Now: the CPU, ${cores}${reason ? `, because ${reason}` : ''}.`;
    this.#advice.hidden = !advice;
    this.#advice.textContent = `A GPU would be faster. ${advice}`;
  }

  /** No model runs on anything yet. */
  showNothing() {
    this.#kind = undefined;
    delete this.#line.dataset.kind;
    this.#line.textContent = 'Looking for a device…';
    this.#why.textContent = '';
  }

  /**
   * Whether the CPU may do what failed.
   *
   * @param {unknown} error
   */
  isToBlame(error) {
    const { code } = /** @type {{ code?: string }} */ (error ?? {});
    const onCpu = this.#kind === 'cpu' || this.wish === 'cpu';
    return !onCpu && OF_THE_DEVICE.includes(code ?? '');
  }

  /** In the address, so that a reload finds it. */
  #remember() {
    const url = new URL(location.href);
    if (this.wish === 'auto') url.searchParams.delete('device');
    else url.searchParams.set('device', this.wish);
    history.replaceState(null, '', url);
  }
}

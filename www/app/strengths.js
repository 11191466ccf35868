// The sliders below the expressions: how strong the chosen one is, and a second one mixed in. They are shown for models
// that have learned from such clips; for others every expression is as it is.

import { byId, capitalised, make } from './dom.js';
import { NEUTRAL, knowsStrengths, labelText } from './expression.js';

/** @import { Manifest } from '../../pkg/index.d.ts' */
/** @import { Request, Settings } from '../types.d.ts' */
/** @typedef {Pick<Request, 'strength' | 'mix' | 'mixStrength'>} Chosen */

/** What a second expression begins with. */
const MIXED = 0.5;

export class Strengths {
  #panel = byId('strengths');
  #strength = new Slider('strength', () => this.#makeRoom(this.#mixStrength));
  #mix = byId('mix', HTMLSelectElement);
  #mixStrength = new Slider('mix-strength', () => this.#makeRoom(this.#strength));
  /** Largest sum of both; 0 for a model without strengths, or before there is one. */
  #most = 0;
  #loaded = false;
  #label = '';

  constructor() {
    this.#mix.addEventListener('change', () => {
      if (this.#mix.value) this.#mixStrength.value = MIXED;
      this.#makeRoom(this.#strength);
      this.#refresh();
    });
  }

  /**
   * Shows what the model has learned of strengths.
   *
   * @param {Manifest} manifest
   */
  adopt(manifest) {
    const { sum, labels: mixed } = manifest.strengths;
    const knows = knowsStrengths(manifest);
    this.#loaded = true;
    this.#panel.hidden = !knows;
    this.#most = knows ? sum[1] : 0;
    if (!knows) return;
    const others = mixed > 1 ? manifest.labels.filter((label) => label !== NEUTRAL) : [];
    const chosen = this.#mix.value;
    this.#mix.replaceChildren(
      make('option', { value: '', textContent: 'Nothing else' }),
      ...others.map((label) => make('option', { value: label, textContent: capitalised(labelText(label)) })),
    );
    this.#mix.value = others.includes(chosen) ? chosen : '';
    byId('mix-setting').hidden = !others.length;
    for (const slider of [this.#strength, this.#mixStrength]) slider.most = sum[1];
    this.#makeRoom(this.#mixStrength);
    this.#refresh();
  }

  /**
   * Fills in what a link asks for; without strengths that is the expression as it is.
   *
   * @param {Settings} settings
   * @returns {boolean} whether the model, if there is one yet, can follow it
   */
  write({ strength = 1, mix = '', mixStrength = MIXED }) {
    if (!this.#most) return !this.#loaded || (strength === 1 && !mix);
    const isKnown = [...this.#mix.options].some(({ value }) => value === mix);
    const fits = strength >= 0 && mixStrength >= 0 && strength + (mix ? mixStrength : 0) <= this.#most + 1e-6;
    if (isKnown && fits) {
      this.#strength.value = strength;
      this.#mix.value = mix;
      this.#mixStrength.value = mixStrength;
      this.#refresh();
    }
    return isKnown && fits;
  }

  /**
   * The neutral face has no strength.
   *
   * @param {string} label the chosen expression
   */
  follow(label) {
    this.#label = label;
    this.#refresh();
  }

  /** @returns {Chosen} what is on top of the plain label */
  read() {
    if (!this.#most || this.#label === NEUTRAL) return {};
    const strength = this.#strength.value;
    const mix = this.#mix.value;
    const mixed = mix && mix !== this.#label ? { mix, mixStrength: this.#mixStrength.value } : {};
    return { ...(strength === 1 && !mixed.mix ? {} : { strength }), ...mixed };
  }

  /**
   * Lowers the other slider if both together are more than the model knows.
   *
   * @param {Slider} other
   */
  #makeRoom(other) {
    if (!this.#mix.value) return;
    const both = this.#strength.value + this.#mixStrength.value;
    if (both > this.#most) other.value = Math.max(0, other.value - (both - this.#most));
  }

  #refresh() {
    const isNeutral = this.#label === NEUTRAL;
    this.#strength.disabled = isNeutral;
    this.#mix.disabled = isNeutral;
    for (const option of this.#mix.options) option.disabled = option.value !== '' && option.value === this.#label;
    if (this.#mix.value === this.#label) this.#mix.value = '';
    this.#mixStrength.disabled = isNeutral || !this.#mix.value;
    byId('mix-strength-setting').hidden = !this.#mix.value;
  }
}

/** A slider with its value beside it. */
class Slider {
  #input;
  #output;

  /**
   * @param {string} id
   * @param {() => void} onInput
   */
  constructor(id, onInput) {
    this.#input = byId(id, HTMLInputElement);
    this.#output = byId(`${id}-value`);
    this.#input.addEventListener('input', () => {
      onInput();
      this.#show();
    });
    this.#show();
  }

  get value() {
    return this.#input.valueAsNumber;
  }

  set value(value) {
    this.#input.value = `${value}`;
    this.#show();
  }

  /** @param {number} most */
  set most(most) {
    // The slider's own steps: what it cannot reach it does not promise.
    const step = Number(this.#input.step);
    this.#input.max = `${Number((Math.floor(most / step + 1e-6) * step).toFixed(2))}`;
    this.#show();
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    this.#input.disabled = disabled;
  }

  #show() {
    this.#output.textContent = this.#input.value;
  }
}

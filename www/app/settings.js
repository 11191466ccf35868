// The form: expression and its strength, seed, steps, guidance.

import { LfdmError } from '../pkg/index.js';
import { HEADINGS, MODELS, previewUrl } from './catalogue.js';
import { byId, capitalised, make } from './dom.js';
import { labelText } from './expression.js';
import { labelIcon } from './icons.js';
import { Strengths } from './strengths.js';

/** @import { Manifest } from '../../pkg/index.d.ts' */
/** @import { Request, Settings as Wishes } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** Short enough to be read and typed. */
const LARGEST_DICE = 1e6;
/** Sides of a frame in the form, in pixels of a fine screen. */
const FACE_SIDE = 160;

export class Settings {
  #form = byId('controls', HTMLFormElement);
  #labels = byId('labels');
  #fields = {
    seed: byId('seed', HTMLInputElement),
    steps: byId('steps', HTMLInputElement),
    guidance: byId('guidance', HTMLInputElement),
  };
  #strengths = new Strengths();
  #model = '';
  /**
   * Addresses of the strips that show the visitor's portrait, by label.
   *
   * @type {Map<string, string>}
   */
  #faces = new Map();
  /**
   * The model's own, once there is one.
   *
   * @type {Pick<Wishes, 'steps' | 'guidance'>}
   */
  #defaults = {};

  /**
   * @param {string} model
   * @param {{ onLabel: () => void }} events `onLabel` is called when the visitor chooses another expression
   */
  constructor(model, { onLabel }) {
    this.showModel(model);
    this.#labels.addEventListener('change', () => {
      this.#strengths.follow(this.#label);
      onLabel();
    });
    byId('dice').addEventListener('click', () => {
      this.#fields.seed.value = `${Math.floor(Math.random() * LARGEST_DICE)}`;
      this.#fields.seed.removeAttribute('aria-invalid');
    });
  }

  /**
   * The expressions of a model, as far as they are known before it is there.
   *
   * @param {string} model
   */
  showModel(model) {
    if (model === this.#model) return;
    this.forgetFaces();
    this.#model = model;
    const { previews } = MODELS[model];
    this.#showLabels(previews.length ? previews : Object.values(this.#headings).flat());
  }

  /**
   * Takes labels and defaults from the model, except for `fixed`, which came with a link.
   *
   * @param {Manifest} manifest
   * @param {Wishes} fixed
   * @returns {string[]} the names of those that this model cannot follow
   */
  adopt(manifest, fixed = {}) {
    if (`${manifest.labels}` !== `${this.labels}`) this.#showLabels(manifest.labels);
    this.#strengths.adopt(manifest);
    this.#defaults = { steps: manifest.defaultSteps, guidance: manifest.defaultGuidance };
    this.write(this.#defaults);
    return this.write(fixed);
  }

  /**
   * Shows an expression on the visitor's portrait in the place of the example.
   *
   * @param {Take} take
   */
  async showFace(take) {
    const { label } = take.request;
    const faces = this.#faces;
    /** @type {Blob | null} */
    const strip = await new Promise((resolve) => take.strip(FACE_SIDE).toBlob(resolve));
    const preview = this.#previewOf(label);
    // Meanwhile there may be another portrait.
    if (!strip || !preview || faces !== this.#faces) return;
    const url = URL.createObjectURL(strip);
    URL.revokeObjectURL(faces.get(label) ?? '');
    faces.set(label, url);
    preview.style.backgroundImage = `url("${url}")`;
    preview.style.setProperty('--preview-steps', `${take.frames.length}`);
  }

  /** Back to the examples: another portrait was chosen. */
  forgetFaces() {
    for (const [label, url] of this.#faces) {
      URL.revokeObjectURL(url);
      const preview = this.#previewOf(label);
      if (preview) preview.style.backgroundImage = `url("${previewUrl(this.#model, label)}")`;
      preview?.style.removeProperty('--preview-steps');
    }
    this.#faces = new Map();
  }

  /**
   * @param {string} label
   * @returns {HTMLElement | null}
   */
  #previewOf(label) {
    return this.#labels.querySelector(`[data-testid="label-${CSS.escape(label)}"] .preview`);
  }

  get labels() {
    return [...this.#labels.querySelectorAll('input')].map(({ value }) => value);
  }

  /**
   * The form's values.
   *
   * @returns {Request}
   * @throws {LfdmError} that names a bad one in the browser's own words
   */
  read() {
    for (const input of Object.values(this.#fields)) {
      const valid = input.checkValidity();
      input.setAttribute('aria-invalid', `${!valid}`);
      if (!valid) {
        input.closest('details')?.setAttribute('open', '');
        input.focus();
        throw new LfdmError('options', `${input.labels?.[0].textContent}: ${input.validationMessage}`);
      }
    }
    const { seed, steps, guidance } = this.#fields;
    return {
      label: this.#label,
      ...this.#strengths.read(),
      seed: seed.valueAsNumber,
      steps: steps.valueAsNumber,
      guidance: guidance.valueAsNumber,
    };
  }

  /**
   * Fills in what `settings` has; where the form does not accept it, the model's own takes its place.
   *
   * @param {Wishes} settings
   * @returns {string[]} the names of those that are not accepted
   */
  write(settings) {
    const refused = [];
    for (const name of /** @type {const} */ (['seed', 'steps', 'guidance'])) {
      if (settings[name] == null) continue;
      const input = this.#fields[name];
      const before = input.value;
      input.value = `${settings[name]}`;
      if (input.checkValidity()) continue;
      input.value = `${this.#defaults[name] ?? before}`;
      refused.push(name);
    }
    if (settings.label != null) {
      /** @type {HTMLInputElement | null} */
      const radio = this.#labels.querySelector(`input[value="${CSS.escape(settings.label)}"]`);
      if (radio) radio.checked = true;
      else refused.push('label');
      this.#strengths.follow(this.#label);
      if (!this.#strengths.write(settings)) refused.push('strength');
    }
    return refused;
  }

  /** The chosen expression; empty while there are none. */
  get #label() {
    return `${new FormData(this.#form).get('label') ?? ''}`;
  }

  get #headings() {
    return HEADINGS[MODELS[this.#model].collection];
  }

  /** @param {string[]} labels */
  #showLabels(labels) {
    const chosen = [this.#label, 'happiness', labels[0]].find((label) => labels.includes(label));
    const option = (label) => this.#option(label, label === chosen);
    const groups = Object.entries(this.#headings).map(([heading, known]) => ({
      heading,
      known: known.filter((label) => labels.includes(label)),
    }));
    const others = labels.filter((label) => !groups.some(({ known }) => known.includes(label)));
    this.#labels.replaceChildren(
      ...groups.filter(({ known }) => known.length).map(({ heading, known }) => group(heading, known.map(option))),
      ...others.map(option),
    );
    this.#strengths.follow(this.#label);
  }

  /**
   * @param {string} label
   * @param {boolean} checked
   */
  #option(label, checked) {
    return make(
      'label',
      { className: 'label-option', dataset: { testid: `label-${label}` } },
      make('input', { type: 'radio', name: 'label', value: label, checked }),
      this.#preview(label),
      make('span', { textContent: capitalised(labelText(label)) }),
    );
  }

  /**
   * A strip of frames that CSS plays, or a drawing for labels that nobody has rendered.
   *
   * @param {string} label
   */
  #preview(label) {
    const { collection, previews } = MODELS[this.#model];
    if (!previews.includes(label)) return labelIcon(collection, label);
    const preview = make('span', { className: 'preview' });
    preview.style.backgroundImage = `url("${previewUrl(this.#model, label)}")`;
    return preview;
  }
}

/**
 * Labels below a heading, which names them for those who do not see that.
 *
 * @param {string} heading
 * @param {HTMLElement[]} options
 */
function group(heading, options) {
  const title = make('p', { className: 'label-heading', textContent: heading });
  return make('div', { className: 'contents', role: 'group', ariaLabel: heading }, title, ...options);
}

// The form: expression, seed, steps, guidance.

import { LfdmError } from '../pkg/index.js';
import { MODELS, previewUrl } from './catalogue.js';
import { byId, capitalised, make } from './dom.js';
import { faceIcon } from './icons.js';

/** Beyond this a number in a form is no longer exact. */
const LARGEST_DICE = 1e6;

export class Settings {
  #form = byId('controls');
  #labels = byId('labels');
  #fields = Object.fromEntries(['seed', 'steps', 'guidance'].map((name) => [name, byId(name)]));
  #model;

  /** `onLabel` is called when the visitor chooses another expression. */
  constructor(model, { onLabel }) {
    this.showModel(model);
    this.#labels.addEventListener('change', onLabel);
    byId('dice').addEventListener('click', () => {
      this.#fields.seed.value = Math.floor(Math.random() * LARGEST_DICE);
      this.#fields.seed.removeAttribute('aria-invalid');
    });
  }

  /** The expressions of a model, as far as they are known before it is there. */
  showModel(model) {
    if (model === this.#model) return;
    this.#model = model;
    this.#showLabels(MODELS[model].previews);
  }

  /** Takes labels and defaults from the model, except for `fixed`, which came with a link. */
  adopt(manifest, fixed = {}) {
    if (`${manifest.labels}` !== `${this.labels}`) this.#showLabels(manifest.labels);
    this.write({ steps: manifest.defaultSteps, guidance: manifest.defaultGuidance, ...fixed });
  }

  get labels() {
    return [...this.#labels.querySelectorAll('input')].map(({ value }) => value);
  }

  /** The form's values; a bad one is named in the browser's own words. */
  read() {
    for (const input of Object.values(this.#fields)) {
      const valid = input.checkValidity();
      input.setAttribute('aria-invalid', !valid);
      if (!valid) {
        input.closest('details')?.setAttribute('open', '');
        input.focus();
        throw new LfdmError('options', `${input.labels[0].textContent}: ${input.validationMessage}`);
      }
    }
    const numbers = Object.entries(this.#fields).map(([name, input]) => [name, input.valueAsNumber]);
    return { label: this.#form.elements.label.value, ...Object.fromEntries(numbers) };
  }

  /** Fills in what `settings` has; returns the names of those that the form does not accept. */
  write(settings) {
    const refused = [];
    for (const [name, input] of Object.entries(this.#fields)) {
      if (settings[name] == null) continue;
      const before = input.value;
      input.value = settings[name];
      if (input.checkValidity()) continue;
      input.value = before;
      refused.push(name);
    }
    if (settings.label != null) {
      const radio = this.#labels.querySelector(`input[value="${CSS.escape(settings.label)}"]`);
      if (radio) radio.checked = true;
      else refused.push('label');
    }
    return refused;
  }

  #showLabels(labels) {
    const before = this.#form.elements.label?.value;
    const chosen = [before, 'happiness', labels[0]].find((label) => labels.includes(label));
    this.#labels.replaceChildren(
      ...labels.map((label) =>
        make(
          'label',
          { className: 'label-option', dataset: { testid: `label-${label}` } },
          make('input', { type: 'radio', name: 'label', value: label, checked: label === chosen }),
          this.#preview(label),
          make('span', { textContent: capitalised(label) }),
        ),
      ),
    );
  }

  /** A strip of frames that CSS plays, or a drawn face for labels that nobody has rendered. */
  #preview(label) {
    if (!MODELS[this.#model].previews.includes(label)) return faceIcon(label);
    const preview = make('span', { className: 'preview' });
    preview.style.backgroundImage = `url("${previewUrl(this.#model, label)}")`;
    return preview;
  }
}

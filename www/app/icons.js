// Line drawings for the labels that the demo models know: faces, and figures, of which signals are nearer. Other labels
// have a face without an expression, or a figure that stands.

/** @import { CollectionName } from '../types.d.ts' */

const OUTLINE = 'M12 2.5a9.5 9.5 0 1 1 0 19a9.5 9.5 0 1 1 0-19z';
/** Eyes alone. */
const PLAIN = 'M8.5 10v1M15.5 10v1';

const FACES = {
  neutral: 'M8.5 10v1M15.5 10v1M9 15.5h6',
  anger: 'M7 8l3.2 1.6M17 8l-3.2 1.6M8.8 11.4v.6M15.2 11.4v.6M9 16.4c1.6-1.6 4.4-1.6 6 0',
  disgust: 'M7 9.2l3 .8M17 8.4l-3 1.4M8.7 12v.5M15.3 12v.5M8.5 16.4c1-1.4 2.2-1.4 3.3-.5 1 .8 2.4.6 3.7-1',
  fear:
    'M7 8.6c.8-.9 1.8-1.3 2.9-1.3M17 8.6c-.8-.9-1.8-1.3-2.9-1.3M8.5 10.6v1.2M15.5 10.6v1.2' +
    'M9.2 16.6c.3-2.6 5.3-2.6 5.6 0z',
  happiness: 'M8.5 9.5v1M15.5 9.5v1M7.8 13.8c1.6 3.8 6.8 3.8 8.4 0',
  sadness: 'M7 9.3l2.8-1.3M17 9.3l-2.8-1.3M8.6 11v.8M15.4 11v.8M9 17c1.5-2.2 4.5-2.2 6 0',
  surprise:
    'M7 7.7c.9-.8 1.9-.9 2.8-.4M17 7.7c-.9-.8-1.9-.9-2.8-.4M8.6 10.2v1M15.4 10.2v1' +
    'M12 13.2c2.7 0 2.7 4.6 0 4.6s-2.7-4.6 0-4.6z',
};

/** A head over a trunk, and legs that stand. */
const HEAD = 'M12 2.2a2 2 0 1 1 0 4a2 2 0 1 1 0-4z';
const TRUNK = 'M12 6.2v8.2';
const LEGS = 'M8.8 22l3.2-7.6 3.2 7.6';
const UPRIGHT = `${HEAD}${TRUNK}${LEGS}`;
/** Head and trunk from the hips up. */
const BUST =
  'M12 3.6a2.9 2.9 0 1 1 0 5.8a2.9 2.9 0 1 1 0-5.8z' +
  'M8.6 22l-.2-7.6c0-1.8 1-2.8 2.6-2.8h2c1.6 0 2.6 1 2.6 2.8l-.2 7.6';

const FIGURES = {
  wave: [UPRIGHT, 'M12 8.6l-3.4 5.6M12 8.6l4.4.4 1.2-4.8M15.6 2.4c1.4-.7 2.9-.5 4 .7'],
  clap: [UPRIGHT, 'M12 8.4l-4.2 2 3.6 2.2M12 8.4l4.2 2-3.6 2.2M6.8 13.6l-1.6.8M17.2 13.6l1.6.8'],
  throw: [
    HEAD,
    'M12 6.2l-.6 8M11.4 14.2l-4.6 2.4-.4 5.4M11.4 14.2l3.6 3.2 2.6 4.6M11.9 8.4l-5 1.8',
    'M11.9 8.4l4.2.8 1.8-4.2M18.6 1.2a1.5 1.5 0 1 1 0 3a1.5 1.5 0 1 1 0-3z',
  ],
  box: [
    HEAD,
    TRUNK,
    'M12 14.4l-3.6 3-.6 4.6M12 14.4l3.2 3 1 4.6M12 8.4H5.2M12 8.6l2.6 3.2 3-3',
    'M3.9 7.1a1.3 1.3 0 1 1 0 2.6a1.3 1.3 0 1 1 0-2.6z',
    'M18.5 6.4a1.3 1.3 0 1 1 0 2.6a1.3 1.3 0 1 1 0-2.6z',
  ],
  squat: [
    'M12 5.6a2 2 0 1 1 0 4a2 2 0 1 1 0-4zM12 9.6v6.6M12 16.2l-4.8-.6.6 6.4',
    'M12 16.2l4.8-.6-.6 6.4M12 11.8l-6.4.6M12 11.8l6.4.6',
  ],
  kick: [
    'M10.4 2.4a2 2 0 1 1 0 4a2 2 0 1 1 0-4zM10.6 6.4l.6 7.8M11.2 14.2l-1.2 7.8',
    'M11.2 14.2l4.6-.4 5-3.2M10.8 8.6l-4 1.8-1.2-3M10.8 8.6l4.2.8 1.6-2.6',
  ],
  jump: [
    'M12 1.4a2 2 0 1 1 0 4a2 2 0 1 1 0-4zM12 5.4v6.8M12 12.2l-3.4 2 1.2 4.2',
    'M12 12.2l3.4 2-1.2 4.2M12 7.4L7.2 3.6M12 7.4l4.8-3.8M7 22h10',
  ],
  bow: [
    'M17.8 7.6a2 2 0 1 1 0 4a2 2 0 1 1 0-4zM16 9.2l-7.6 2.4M8.4 11.6l-.4 5.2.4 5.2',
    'M8.4 11.6l2 5 .2 5.4M14.4 9.8l-.8 5.2',
  ],
  turn: [
    UPRIGHT,
    'M12 8.6l-2.6 5M12 8.6l2.6 5M7.2 15.8c-5.4 1.6-3 4.2 2 4.4',
    'M16.8 15.8c4.6 1.4 3.2 3.8-1.4 4.3M17 18.4l-1.8 1.8 2.1 1.4',
  ],
  'arms-up': [UPRIGHT, 'M12 8.6L8 6.2 7.2 1.6M12 8.6l4-2.4.8-4.6'],
  'come-ahead': [
    BUST,
    'M8.6 13.4l-3.2 3.2-1.4-6M15.4 13.4l3.2 3.2 1.4-6M3 7.6c.3-1.9 1.5-3 3.4-3.2',
    'M5.2 3.2l1.4 1.2-1.2 1.5M21 7.6c-.3-1.9-1.5-3-3.4-3.2M18.8 3.2l-1.4 1.2 1.2 1.5',
  ],
  'slow-down': [
    BUST,
    'M8.6 13.2l-4.2.2-3-1.2M15.4 13.2l4.2.2 3-1.2M3.4 15.6v4.6M1.8 18.7l1.6 1.6 1.6-1.6',
    'M20.6 15.6v4.6M19 18.7l1.6 1.6 1.6-1.6',
  ],
  stop: [
    'M12 6.2a2.7 2.7 0 1 1 0 5.4a2.7 2.7 0 1 1 0-5.4z',
    'M8.6 22l-.2-5.6c0-1.8 1-2.8 2.6-2.8h2c1.6 0 2.6 1 2.6 2.8l-.2 5.6',
    'M8.6 15L5.4 9.4 15 1.8M15.4 15l3.2-5.6L9 1.8',
  ],
  'spread-wings': [
    BUST,
    'M8.6 13.2H1.8M15.4 13.2h6.8M5.4 9.4H2.2l1.4-1.4M2.2 9.4l1.4 1.4',
    'M18.6 9.4h3.2l-1.4-1.4M21.8 9.4l-1.4 1.4',
  ],
  'fold-wings': [BUST, 'M8.5 13l-3 3.6 8.8 1M15.5 13l3 3.6-8.8-1.2'],
  'move-left': [BUST, 'M15.4 13.2h7M8.6 13.2l-5-.2 1.4-5.4M2 6.2c1.6-1.8 3.9-2 5.8-.6'],
  'move-right': [BUST, 'M8.6 13.2h-7M15.4 13.2l5-.2L19 7.6M22 6.2c-1.6-1.8-3.9-2-5.8-.6'],
  'cut-engine': [BUST, 'M8.6 13.6l-4.8-.6 8-1.2M15.4 13.6l1.8 4-.2 4.4M3 9.6h3.6M3 9.6l1.3-1.3M3 9.6l1.3 1.3'],
};

const STANDING = [UPRIGHT, 'M12 8.6l-3.2 5.4M12 8.6l3.2 5.4'];

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An `<svg>` for `label`.
 *
 * @param {CollectionName} collection
 * @param {string} label
 */
export function labelIcon(collection, label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of collection === 'figures' ? figure(label) : face(label)) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** @param {string} label */
function face(label) {
  return [OUTLINE, Object.hasOwn(FACES, label) ? FACES[label] : PLAIN];
}

/** @param {string} label */
function figure(label) {
  return Object.hasOwn(FIGURES, label) ? FIGURES[label] : STANDING;
}

// Line faces for the expressions that the demo models know; other labels have a face without an expression.

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

const OUTLINE = 'M12 2.5a9.5 9.5 0 1 1 0 19a9.5 9.5 0 1 1 0-19z';
/** Eyes alone. */
const PLAIN = 'M8.5 10v1M15.5 10v1';

const SVG = 'http://www.w3.org/2000/svg';

/** An `<svg>` face for `label`. */
export function faceIcon(label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of [OUTLINE, Object.hasOwn(FACES, label) ? FACES[label] : PLAIN]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

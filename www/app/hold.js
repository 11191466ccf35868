// Something that lasts as long as a finger, the mouse or a key is held down.

/**
 * @param {HTMLElement} element
 * @param {(held: boolean) => void} onHold
 */
export function listenToHolding(element, onHold) {
  element.addEventListener('pointerdown', ({ isPrimary, button }) => isPrimary && button === 0 && onHold(true));
  element.addEventListener('keydown', (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    onHold(true);
  });
  for (const end of ['keyup', 'blur', 'contextmenu']) element.addEventListener(end, () => onHold(false));
  // A finger may be lifted elsewhere.
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => onHold(false));
}

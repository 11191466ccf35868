/** The recogniser's names of the labels, by ours. */
export const NAMES = {
  neutral: 'neutral',
  anger: 'angry',
  disgust: 'disgusted',
  fear: 'fearful',
  happiness: 'happy',
  sadness: 'sad',
  surprise: 'surprised',
};
export const LABELS = Object.keys(NAMES);

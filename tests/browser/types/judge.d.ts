// tools/judge has packages of its own, which nobody need install to check the code.

declare module 'pngjs';
declare module '@tensorflow/tfjs-backend-wasm';
declare module '@vladmandic/face-api/*';

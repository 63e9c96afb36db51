// The worker thread's side of transforms off the main thread: answers each request with transformed images.
import { parentPort } from 'node:worker_threads';
import { applyTransforms } from './augment.ts';
import type { Request } from './worker.ts';

parentPort?.on('message', ({ id, transforms, images, stream }: Request) => {
  const done = applyTransforms(transforms, images, stream);
  const buffer = done.data.buffer;
  parentPort?.postMessage({ id, images: done }, buffer instanceof ArrayBuffer ? [buffer] : []);
});

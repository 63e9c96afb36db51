// Runs transforms in a worker thread, so that the next batch is made while this one trains; in this thread if there is none.
import { Worker } from 'node:worker_threads';
import { applyTransforms, type Images, type Stream, type Transform } from './augment.ts';

/** A message to the worker. */
export interface Request {
  readonly id: number;
  readonly transforms: readonly Transform[];
  readonly images: Images;
  readonly stream: Stream;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (images: Images) => void;
  readonly reject: (error: unknown) => void;
}

/** One worker thread. It never keeps the process alive, except while somebody waits for an answer. */
export class TransformWorker {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;

  /** A `file` that cannot be loaded costs nothing but speed: requests are then served in this thread. */
  constructor(file: URL) {
    this.#worker = new Worker(file);
    this.#worker.unref();
    this.#worker.on('message', ({ id, images }: { id: number; images: Images }) => this.#answer(id, images));
    this.#worker.on('error', () => this.#retire());
    this.#worker.on('exit', () => this.#retire());
  }

  /** Whether the worker is there, as far as known. */
  get alive(): boolean {
    return this.#worker !== undefined;
  }

  /** The same result as `applyTransforms`, later. `images` stay as they are. */
  run(transforms: readonly Transform[], images: Images, stream: Stream): Promise<Images> {
    const request = { id: this.#next++, transforms, images, stream };
    return new Promise((resolve, reject) => {
      const waiting = { request, resolve, reject };
      if (this.#worker === undefined) {
        serveHere(waiting);
      } else {
        this.#waiting.set(request.id, waiting);
        this.#worker.ref();
        this.#worker.postMessage(request);
      }
    });
  }

  #answer(id: number, images: Images): void {
    this.#waiting.get(id)?.resolve(images);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker?.unref();
  }

  #retire(): void {
    this.#worker = undefined;
    for (const waiting of this.#waiting.values()) serveHere(waiting);
    this.#waiting.clear();
  }
}

function serveHere({ request: { transforms, images, stream }, resolve, reject }: Waiting): void {
  try {
    resolve(applyTransforms(transforms, { data: images.data.slice(), shape: images.shape }, stream));
  } catch (error) {
    reject(error);
  }
}

let shared: TransformWorker | undefined;

/** The worker of this process; none where this library runs from its TypeScript sources, which a worker cannot load. */
export function sharedWorker(): TransformWorker | undefined {
  if (shared === undefined && import.meta.url.endsWith('.js')) {
    shared = new TransformWorker(new URL('./augment-worker.js', import.meta.url));
  }
  return shared?.alive ? shared : undefined;
}

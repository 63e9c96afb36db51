// The kernels of THE LIST that are a linear-chain conditional random field: likelihood, gradient, best path.
//
// The score of a path is the sum of its emissions, transitions [from, to], start and end; all below Infinity, absent ones 0.
// Only the first `lengths` steps of each sequence count.
import { indices, type KernelSpec, lengths, maybe, read, write, writeIndices } from './spec.ts';

const shape = ['steps', 'batch', 'tags'] as const;
const emissions = read('steps batch tags');
const transitions = read('tags tags');
const ofEachTag = maybe(read('tags'));
const target = maybe(indices('steps batch', 'tags'));

export const crfKernels = {
  // y = log of the sum of exp(score) over all paths, less the score of the target if it is given; 0 without steps.
  // saved: log of the sum over the paths up to each tag, less the largest of its step.
  crf: {
    shape,
    constants: [],
    buffers: {
      emissions,
      transitions,
      start: ofEachTag,
      end: ofEachTag,
      target,
      lengths,
      y: write('batch'),
      saved: maybe(write('steps batch tags')),
    },
  },
  crfBackward: {
    shape,
    constants: [],
    buffers: {
      emissions,
      transitions,
      end: ofEachTag,
      target,
      lengths,
      saved: read('steps batch tags'),
      gradY: read('batch'),
      gradEmissions: write('steps batch tags'),
      gradTransitions: write('tags tags'),
      gradStart: maybe(write('tags')),
      gradEnd: maybe(write('tags')),
    },
  },
  // the path of the highest score, -1 after its end
  crfDecode: {
    shape,
    constants: [],
    buffers: {
      emissions,
      transitions,
      start: ofEachTag,
      end: ofEachTag,
      lengths,
      paths: writeIndices('steps batch'),
      scores: write('batch'),
    },
  },
} as const satisfies Readonly<Record<string, KernelSpec>>;

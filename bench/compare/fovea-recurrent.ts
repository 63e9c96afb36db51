// A recurrent network on fovea's kernels: a call for each layer and direction, and for training their gradients in turn.
import type { Call } from '../shapes/row.ts';
import { type Build, KernelCall, type Memory } from './fovea-call.ts';
import type { Way } from './trial.ts';

/** One layer in one direction. */
interface Pass {
  readonly fields: Readonly<Record<string, number>>;
  readonly forward: KernelCall;
}

const biases = ['biasIh', 'biasHh'];
const gradients = ['gradX', 'gradY', 'gradBias', 'gradBiasIh', 'gradBiasHh'];

/** Weights of the size that layers begin with: gates that are shut would make gradients of denormal numbers. */
function scaleWeights({ buffers }: KernelCall, hidden: number): void {
  for (const name of ['weightIh', 'weightHh']) {
    const weight = buffers[name]!;
    for (let i = 0; i < weight.length; ++i) weight[i]! *= 2 / Math.sqrt(hidden);
  }
}

/** The whole network as one way: its kernel calls one after the other. */
export function recurrent(build: Build, call: Call): Way {
  const c = call as unknown as Readonly<Record<string, number>>;
  const kernel = String(call.cell).replace('-v1', '');
  const [training, directions, hidden] = [c.training === 1, c.directions!, c.hidden!];

  /** The directions of a layer, which share x and y. */
  function layerOn(below: Memory | undefined): Pass[] {
    let [x, y] = [below, undefined as Memory | undefined];
    return Array.from({ length: directions }, (_, reverse) => {
      const fields = {
        steps: c.steps!,
        batch: c.batch!,
        inputSize: below === undefined ? c.inputs! : directions * hidden,
        hiddenSize: hidden,
        reverse,
        resetAfter: Number(call.cell === 'gru'),
        stateSize: hidden,
        yStride: directions * hidden,
        yOffset: reverse * hidden,
        accumulate: reverse,
      };
      const forward = new KernelCall(build, kernel, fields, training ? [...biases, 'saved'] : biases, { x, y });
      scaleWeights(forward, hidden);
      ({ x, y } = forward.buffers);
      return { fields, forward };
    });
  }

  const layers: Pass[][] = [];
  for (let i = 0; i < c.layers!; ++i) layers.push(layerOn(layers.at(-1)?.[0]?.forward.buffers.y));
  const passes = layers.flat();
  const packed = !training && passes.map(({ forward }) => forward.pack()).includes(true);
  const steps = passes.map(({ forward }) => forward.runner());

  let above: Memory | undefined;
  for (const layer of training ? layers.toReversed() : []) {
    let [gradX, gradY] = [undefined as Memory | undefined, above];
    for (const { fields, forward } of layer) {
      const existing = { ...forward.buffers, gradX, gradY };
      const backward = new KernelCall(build, `${kernel}Backward`, fields, gradients, existing);
      ({ gradX, gradY } = backward.buffers);
      steps.push(backward.runner());
    }
    above = gradX;
  }
  const run = () => {
    for (const step of steps) step();
  };
  return { run, ...(packed && { how: 'packed' }) };
}

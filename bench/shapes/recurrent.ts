// Recurrent layers over whole sequences: forward for inference, and forward with backward for training.
import { bytes, type Row } from './row.ts';

const sizes = [
  { name: 'T28 B64 I28 H128', steps: 28, batch: 64, inputs: 28, hidden: 128 },
  { name: 'T50 B32 I256 H256', steps: 50, batch: 32, inputs: 256, hidden: 256 },
  { name: 'T100 B1 I128 H512', steps: 100, batch: 1, inputs: 128, hidden: 512 },
] as const;

/** GRU applies its reset gate after the recurrent product, as PyTorch's; GRU-v1 before it, as it was published. */
const networks = [
  { name: 'LSTM', cell: 'lstm', gates: 4, layers: 1, directions: 1 },
  { name: 'BiLSTM', cell: 'lstm', gates: 4, layers: 1, directions: 2 },
  { name: 'LSTM-2layer', cell: 'lstm', gates: 4, layers: 2, directions: 1 },
  { name: 'GRU', cell: 'gru', gates: 3, layers: 1, directions: 1 },
  { name: 'GRU-v1', cell: 'gru-v1', gates: 3, layers: 1, directions: 1 },
  { name: 'Elman', cell: 'rnn', gates: 1, layers: 1, directions: 1 },
] as const;

/** A call here is a whole network's: each side makes of it as many calls as it needs. */
export const recurrent: readonly Row[] = networks.flatMap(({ name, cell, gates, layers, directions }) =>
  sizes.flatMap(({ name: size, ...shape }) =>
    ['forward', 'training'].map((pass): Row => {
      const { steps, batch, inputs, hidden } = shape;
      let weights = 0;
      for (let layer = 0; layer < layers; ++layer)
        weights += directions * gates * hidden * ((layer === 0 ? inputs : directions * hidden) + hidden);
      const forward = 2 * steps * batch * weights;
      const sequences = layers * directions * (pass === 'training' ? 2 : 1);
      // A step of one sequence does two operations for each weight of the state: the cache that holds them is its limit.
      const streamed = batch === 1;
      return {
        family: 'recurrent',
        name: `${name} ${size} ${pass}`,
        call: {
          op: 'recurrent',
          cell,
          layers,
          directions,
          ...shape,
          training: Number(pass === 'training'),
          packed: Number(pass === 'forward'),
        },
        flops: streamed ? 0 : pass === 'training' ? 3 * forward : forward,
        reads: streamed ? bytes(gates * hidden * hidden) : bytes(steps * batch * inputs, weights),
        writes: streamed ? 0 : bytes(steps * batch * directions * hidden),
        ...(streamed && { passes: steps * sequences }),
      };
    }),
  ),
);

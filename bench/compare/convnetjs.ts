// convnetjs, plain JavaScript: its convolution layer, one picture at a time.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { modules } from '../cache.ts';
import type { Call } from '../shapes/row.ts';
import { Skip, serve, type Way } from './trial.ts';

interface ConvNet {
  readonly Vol: new (width: number, height: number, depth: number) => object;
  readonly ConvLayer: new (
    options: Readonly<Record<string, number>>,
  ) => { forward(x: object, training: boolean): object };
}

const require = createRequire(join(modules, 'package.json'));
const { Vol, ConvLayer } = require('convnetjs') as ConvNet;
const { version } = require('convnetjs/package.json') as { version: string };

function prepare(call: Call): Way {
  const c = call as unknown as Readonly<Record<string, number>>;
  if (call.op !== 'conv2d' || c.groups !== 1) throw new Skip('only its convolution is measured');
  const layer = new ConvLayer({
    in_sx: c.width!,
    in_sy: c.height!,
    in_depth: c.inChannels!,
    sx: c.kernelWidth!,
    filters: c.outChannels!,
    stride: c.strideWidth!,
    pad: c.padLeft!,
  });
  const pictures = Array.from({ length: c.batch! }, () => new Vol(c.width!, c.height!, c.inChannels!));
  return {
    run: () => {
      for (const picture of pictures) layer.forward(picture, false);
    },
  };
}

await serve({ name: 'convnetjs', version, prepare });

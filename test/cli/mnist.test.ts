// Pictures made from MNIST's test digits, as people keep them, are all read right by a model trained a moment ago.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMnist } from '../../lib/data/index.ts';
import { backendInfo } from '../../lib/kernels/backend.ts';
import { dataFolder } from '../data/folders.ts';
import { cli } from './run.ts';

const mnist = join(dataFolder, 'mnist');
const reason = !existsSync(mnist)
  ? ` (skipped: no MNIST at ${mnist}; set FOVEA_DATA)`
  : backendInfo().backend === 'reference'
    ? ' (skipped: training takes minutes without native kernels)'
    : '';

describe.skipIf(reason !== '')(`fovea classify${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-classify-'));
  const model = join(folder, 'model.safetensors');
  const digits: { label: number; pixels: Uint8Array }[] = [];

  beforeAll(async () => {
    const { code, stderr } = await cli('train', 'lenet5', '--data', mnist, '--epochs', '2', '--out', model, '--quiet');
    expect(stderr + code).toBe('0');
    const images = await loadMnist(mnist, 'test', { limit: 200 });
    const { inputs, targets } = images.batch(Array.from({ length: 200 }, (_, i) => i));
    for (let label = 0; label < 10; label++) {
      const index = targets.ints.indexOf(label); // the first of each digit, whichever it is
      const values = inputs.floats.subarray(index * 784, (index + 1) * 784);
      digits.push({ label, pixels: Uint8Array.from(values, (value) => Math.round(255 * value)) });
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const white = [255, 255, 255];
  const black = [0, 0, 0];
  /** The digit in one colour on another, as large as a photograph of it. */
  const drawn = (pixels: Uint8Array, ink = white, paper = black) => {
    const mixed = Uint8Array.from({ length: 3 * pixels.length }, (_, i) => {
      const share = (pixels[Math.floor(i / 3)] ?? 0) / 255;
      return share * (ink[i % 3] ?? 0) + (1 - share) * (paper[i % 3] ?? 0);
    });
    return sharp(mixed, { raw: { width: 28, height: 28, channels: 3 } }).resize(300, 300, { kernel: 'cubic' });
  };
  const ways: Record<string, (pixels: Uint8Array, file: string) => Promise<unknown>> = {
    'enlarged.png': (pixels, file) => drawn(pixels).toFile(file),
    'enlarged.jpg': (pixels, file) => drawn(pixels).jpeg({ quality: 80 }).toFile(file),
    'dark on light.png': (pixels, file) => drawn(pixels, black, white).toFile(file),
    'red on white.jpg': (pixels, file) => drawn(pixels, [200, 30, 20], white).jpeg().toFile(file),
    'white on blue.png': (pixels, file) => drawn(pixels, white, [20, 30, 150]).toFile(file),
    // Turned a quarter to the left, with the EXIF orientation that says so.
    'turned by EXIF.jpg': async (pixels, file) => {
      const turned = await drawn(pixels).rotate(270).png().toBuffer();
      await sharp(turned).withMetadata({ orientation: 6 }).jpeg().toFile(file);
    },
  };

  test.each(Object.keys(ways))('reads ten digits, each %s', async (way) => {
    const files = digits.map(({ label }) => join(folder, `${label} ${way}`));
    await Promise.all(digits.map(({ pixels }, i) => ways[way]?.(pixels, files[i] ?? '')));
    const { code, stdout } = await cli('classify', model, ...files, '--json', '--top', '1');
    expect(code).toBe(0);
    const results = JSON.parse(stdout) as { predictions: { class: string }[] }[];
    expect(results.map(({ predictions }) => predictions[0]?.class)).toEqual(digits.map(({ label }) => String(label)));
  });
});

// fovea classify: what a saved model sees in pictures.
import { Option } from 'commander';
import type { Preprocessing } from '../io/index.ts';
import { noGrad, softmax, type Tensor } from '../tensor/index.ts';
import { type AddCommand, type Context, UsageError } from './context.ts';
import { type OpenModel, openModel } from './model-file.ts';
import { examples, integer, percent } from './options.ts';

type Invert = 'auto' | 'yes' | 'no';

interface Options {
  readonly top: number;
  readonly json?: true;
  readonly invert: Invert;
}

interface Prediction {
  readonly class: string;
  readonly probability: number;
}

export const addClassify: AddCommand = (program, context) => {
  program
    .command('classify')
    .description('say what pictures show: any format, size and colour that sharp reads')
    .argument('<model>', 'a model file')
    .argument('<images...>', 'pictures')
    .option('--top <n>', 'print so many of the most probable classes', integer(1), 5)
    .addOption(
      new Option(
        '--invert <when>',
        'swap light and dark (auto: of grey models, where the edge of the picture is light)',
      )
        .choices(['auto', 'yes', 'no'])
        .default('auto'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea classify lenet5.safetensors seven.png photo.jpg --top 3'))
    .action((file: string, images: string[], options: Options) => classify(file, images, options, context));
};

async function classify(file: string, images: string[], options: Options, { stdout }: Context): Promise<void> {
  const opened = openModel(file);
  const results: { file: string; predictions: Prediction[] }[] = [];
  for (const image of images) {
    const predictions = await predictionsFor(opened, image, options);
    results.push({ file: image, predictions });
    if (options.json) continue;
    stdout.write(`${image}\n`);
    for (const { class: name, probability } of predictions)
      stdout.write(`  ${percent(probability).padStart(8)}  ${name}\n`);
  }
  if (options.json) stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}

async function predictionsFor(
  { definition, info }: OpenModel,
  image: string,
  { top, invert }: Options,
): Promise<Prediction[]> {
  const preprocessing = info.preprocessing ?? definition.preprocessing;
  const names = info.classes ?? definition.classes;
  const input = await pictureFor(preprocessing, image, invert);
  const probabilities = noGrad(() => softmax(definition.model.forward(input), -1)).floats;
  return Array.from(probabilities, (probability, c) => ({ class: names[c] ?? String(c), probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

/** A picture as the model wants it: [1, channels, height, width]. */
async function pictureFor(preprocessing: Preprocessing, image: string, invert: Invert): Promise<Tensor> {
  // Only here, since the rest of the program works where sharp is not installed.
  const { loadImage } = await import('../data/image.ts');
  throw new UsageError(String([loadImage, preprocessing, image, invert]));
}

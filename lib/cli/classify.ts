// fovea classify: what a saved model sees in pictures.
import { Option } from 'commander';
import { loadModelInput } from '../data/index.ts';
import { type Compiled, compile } from '../graph/index.ts';
import { softmax } from '../tensor/index.ts';
import type { AddCommand, Context } from './context.ts';
import { type OpenModel, openModel, readModelFile } from './model-file.ts';
import { examples, integer, percent } from './options.ts';

type When = 'auto' | 'yes' | 'no';

interface Options {
  readonly top: number;
  readonly json?: true;
  readonly invert: When;
  readonly center: When;
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
    .addOption(
      new Option(
        '--center <when>',
        'bring what is drawn to the size and place that digits have in MNIST (auto: of models of the ten digits)',
      )
        .choices(['auto', 'yes', 'no'])
        .default('auto'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea classify lenet5.safetensors seven.png photo.jpg --top 3'))
    .action((file: string, images: string[], options: Options) => classify(file, images, options, context));
};

async function classify(file: string, images: string[], options: Options, { stdout }: Context): Promise<void> {
  const opened = openModel(readModelFile(file));
  const scores = compile(opened.definition.model);
  const results: { file: string; predictions: Prediction[] }[] = [];
  for (const image of images) {
    const predictions = await predictionsFor(opened, scores, image, options);
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
  scores: Compiled,
  image: string,
  { top, invert, center }: Options,
): Promise<Prediction[]> {
  const preprocessing = info.preprocessing ?? definition.preprocessing;
  const names = info.classes ?? definition.classes;
  const { channels } = preprocessing;
  // Digits are learnt as MNIST has them, in the middle; light and dark mean nothing only where the model sees grey.
  const picture = await loadModelInput(image, {
    ...preprocessing,
    center: channels === 1 && (center === 'auto' ? names.join('') === '0123456789' : center === 'yes'),
    invert: invert === 'auto' ? channels === 1 && 'auto' : invert === 'yes',
  });
  const probabilities = softmax(await scores.run(picture.unsqueeze(0)), -1).floats;
  return Array.from(probabilities, (probability, c) => ({ class: names[c] ?? String(c), probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

// The options of the benchmark, checked, and its help.
import { parseArgs } from 'node:util';

export interface Options {
  /** Words that select rows. */
  readonly words: readonly string[];
  readonly threads: readonly number[];
  /** '' is what fovea chooses. */
  readonly isa: string;
  readonly trials: number;
  /** The time given to each row in each trial. */
  readonly seconds: number;
  /** The sides beside fovea, by name; undefined is all that take the row. */
  readonly rivals: readonly string[] | undefined;
  /** Another checkout of fovea, or a .node binary. */
  readonly against: string | undefined;
  readonly mode: 'run' | 'list' | 'help';
  readonly json: boolean;
  /** The files to write, without their ending. */
  readonly save: string | undefined;
}

export const isas = ['avx512', 'avx2', 'sse', 'neon', 'scalar'] as const;

export const help = `npm run bench [-- [options] [words]]

Times fovea's kernels beside the rivals found on this machine: milliseconds, GFLOP/s or GB/s, percent of what the
processor can do (measured by a probe in the same run), and the ratio to the best rival: above 1, fovea is faster.
Every trial is a fresh process of each side; row by row the sides take turns; figures are medians over trials. Ctrl-C
ends a run early and prints what there is.

Words select rows: each word must begin a word of the row's title; 'a,b' is either. Without words, all rows.
  npm run bench -- gemm square             all squares
  npm run bench -- conv2d vgg b1 forward   three layers, forward, batch 1
  npm run bench -- gemm,conv2d             two families

  --list              only print the titles of the selected rows
  --threads 1,2       thread counts (default: FOVEA_THREADS, or 1 and as many as there are processors)
  --isa avx2          hold fovea, and the rivals that can be held, to an instruction set (default: FOVEA_ISA):
                      ${isas.join(', ')}
  --trials 3          fresh processes per side (rows of more than 20 GFLOP have one)
  --seconds 0.1       time for each row in each trial
  --quick             one trial of 0.05 s
  --rivals a,b        only these: their names as in the table, small or large letters; 'none'
  --against <path>    instead of rivals, another build of fovea: a checkout, or a .node binary
  --json              print all measurements as JSON
  --save [name]       write bench/results.md and bench/results.svg (results-<name>.* with a name)
  --help

Rivals are built and installed once by: npm run bench:rivals. What is absent is skipped, and said.
Debian: apt install libopenblas-dev libblis-dev libdnnl-dev libxsmm-dev python3-torch cmake
`;

function positive(name: string, text: string, integer: boolean): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value) && (!integer || Number.isInteger(value))) return value;
  throw new RangeError(`--${name}: expected a positive ${integer ? 'integer' : 'number'}, but got '${text}'`);
}

/** The command that does the same again. */
export function commandOf({ words, threads, isa, trials, seconds, rivals, against, save }: Options): string {
  const name = save?.replace(/^results-?/, '');
  return [
    'npm run bench --',
    ...words,
    `--threads ${threads.join(',')} --trials ${trials} --seconds ${seconds}`,
    ...(isa === '' ? [] : [`--isa ${isa}`]),
    ...(rivals === undefined ? [] : [`--rivals ${rivals.join(',') || 'none'}`]),
    ...(against === undefined ? [] : [`--against ${against}`]),
    ...(name === undefined ? [] : [`--save ${name}`.trim()]),
  ].join(' ');
}

/** The options of a command line, FOVEA_ISA and FOVEA_THREADS its defaults. Throws an Error whose message says what was expected. */
export function parseOptions(
  args: readonly string[],
  processors: number,
  { FOVEA_ISA = '', FOVEA_THREADS = '' }: Readonly<Record<string, string | undefined>> = {},
): Options {
  const { values, positionals } = parseArgs({
    // `--save` may stand alone.
    args: args.map((arg, i) => (arg === '--save' && (args[i + 1] ?? '-').startsWith('-') ? '--save=' : arg)),
    allowPositionals: true,
    options: {
      threads: { type: 'string' },
      isa: { type: 'string', default: FOVEA_ISA },
      trials: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rivals: { type: 'string' },
      against: { type: 'string' },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      save: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.isa !== '' && !isas.some((isa) => isa === values.isa))
    throw new RangeError(`--isa: expected one of ${isas.join(', ')}, but got '${values.isa}'`);
  if (values.save !== undefined && !/^[\w.-]*$/.test(values.save))
    throw new RangeError(`--save: expected a name of letters, digits, '.', '_' and '-', but got '${values.save}'`);
  const threads = (values.threads ?? (FOVEA_THREADS || [...new Set([1, processors])].join(',')))
    .split(',')
    .map((text) => positive('threads', text, true));
  return {
    words: positionals,
    threads: [...new Set(threads)],
    isa: values.isa,
    trials: positive('trials', values.trials ?? (values.quick ? '1' : '3'), true),
    seconds: positive('seconds', values.seconds ?? (values.quick ? '0.05' : '0.1'), false),
    rivals: values.rivals === 'none' ? [] : values.rivals?.toLowerCase().split(','),
    against: values.against,
    mode: values.help ? 'help' : values.list ? 'list' : 'run',
    json: values.json,
    save: values.save === undefined ? undefined : `results${values.save && `-${values.save}`}`,
  };
}

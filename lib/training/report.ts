// What a person sees of a run: a progress bar on a terminal, one line per epoch everywhere.
import { Presets, SingleBar } from 'cli-progress';
import type { EpochRow } from './history.ts';

/** Where text goes; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Hears of a run as it goes. */
export interface Report {
  begin(run: RunReport): void;
  step(now: StepReport): void;
  epoch(row: EpochRow): void;
  /** Called once, also when the run fails or is aborted. */
  end(): void;
}

export interface RunReport {
  readonly epochs: number;
  /** Of one epoch. */
  readonly steps: number;
  /** What samples are called: images, words, … */
  readonly unit: string;
}

export interface StepReport {
  /** From 0. */
  readonly epoch: number;
  /** Steps of this epoch that are done. */
  readonly step: number;
  /** Samples (or whatever the objective counts) of this epoch that are done. */
  readonly samples: number;
  /** Mean over this epoch so far. */
  readonly loss: number;
  /** Over this epoch so far, where accuracy is measured. */
  readonly accuracy: number | undefined;
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** Three significant digits or so: 0.0123, 1.23, 123. */
const short = (value: number) =>
  Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(2) : value.toPrecision(4);

const shares = new Set(['accuracy', 'validationAccuracy', 'f1', 'validationF1']);
const isShare = (name: string) => shares.has(name) || /^(validationT|t)op\d+$/.test(name);

/** `validationLoss` -> `validation loss` */
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function shown(name: string, value: number): string {
  if (name === 'learningRate') return String(Number(value.toPrecision(3)));
  return isShare(name) ? percent(value) : short(value);
}

/** One line for an epoch: `epoch 1/3  loss 0.1234  accuracy 96.10 %  …  1234 images/s  5.2 s`. */
export function epochLine(row: EpochRow, epochs: number, unit = 'images'): string {
  const { epoch, seconds, perSecond, ...values } = row;
  const parts = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${words(name)} ${shown(name, value)}`],
  );
  const speed = seconds === undefined ? [] : [`${Math.round(perSecond ?? 0)} ${unit}/s`, `${seconds.toFixed(1)} s`];
  return [`epoch ${epoch}/${epochs}`, ...parts, ...speed].join('  ');
}

/** Plain lines: one per epoch. */
export function lineReport(output: Output): Report {
  let run: RunReport = { epochs: 0, steps: 0, unit: 'images' };
  return {
    begin: (begun) => {
      run = begun;
    },
    step: () => {},
    epoch: (row) => output.write(`${epochLine(row, run.epochs, run.unit)}\n`),
    end: () => {},
  };
}

/** A bar with loss, accuracy, samples per second and the time left of the epoch; then the epoch's line in its place. */
export function barReport(output: Output & NodeJS.WritableStream): Report {
  const lines = lineReport(output);
  let bar: SingleBar | undefined;
  let begun = 0;
  let first = { samples: 0, step: 0 };
  let run: RunReport = { epochs: 0, steps: 0, unit: 'images' };
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    begin(started) {
      run = started;
      lines.begin(started);
    },
    step({ epoch, step, samples, loss, accuracy }) {
      if (bar === undefined) {
        begun = performance.now();
        first = { samples, step };
        bar = new SingleBar(
          {
            stream: output,
            format: `epoch {epoch} {bar} {value}/{total}  loss {loss}{accuracy}  {perSecond} ${run.unit}/s  {left} left`,
            barsize: 24,
            hideCursor: true,
            clearOnComplete: true,
            etaAsynchronousUpdate: false,
          },
          Presets.shades_classic,
        );
        bar.start(run.steps, 0, {
          epoch: `${epoch + 1}/${run.epochs}`,
          loss: '-',
          accuracy: '',
          perSecond: '-',
          left: '-',
        });
      }
      const seconds = (performance.now() - begun) / 1000;
      const perSecond = (samples - first.samples) / Math.max(seconds, 1e-9);
      const left = ((run.steps - step) * seconds) / (step - first.step);
      bar.update(step, {
        epoch: `${epoch + 1}/${run.epochs}`,
        loss: short(loss),
        accuracy: accuracy === undefined ? '' : `  accuracy ${percent(accuracy)}`,
        perSecond: Math.round(perSecond),
        left: Number.isFinite(left) ? `${Math.ceil(left)} s` : '-',
      });
    },
    epoch(row) {
      stop();
      lines.epoch(row);
    },
    end: stop,
  };
}

/** Says nothing. */
export const silentReport: Report = { begin() {}, step() {}, epoch() {}, end() {} };

/** The bar where `output` is a terminal, plain lines elsewhere. */
export function reportTo(output: Output | (Output & NodeJS.WritableStream)): Report {
  return output.isTTY && 'end' in output ? barReport(output) : lineReport(output);
}

// What a person sees: plain lines where there is no terminal, a bar that redraws itself where there is one.
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { barReport, epochLine, lineReport, reportTo } from '../../lib/training/report.ts';

const row = {
  epoch: 2,
  loss: 0.12345,
  accuracy: 0.9654,
  validationLoss: 0.00001,
  learningRate: 0.001,
  seconds: 5.25,
  perSecond: 1234.5,
};

function terminal() {
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 160,
    cursorTo() {},
    clearLine() {},
    moveCursor() {},
  });
  let text = '';
  stream.on('data', (part) => {
    text += part;
  });
  return { stream, text: () => text };
}

describe('report', () => {
  test('a line for an epoch', () => {
    expect(epochLine(row, 3)).toBe(
      'epoch 2/3  loss 0.1235  accuracy 96.54 %  validation loss 1.00e-5  learning rate 0.001  1235 images/s  5.3 s',
    );
  });

  test('only lines without a terminal', () => {
    const lines: string[] = [];
    const output = { write: (text: string) => lines.push(text) };
    const report = reportTo(output);
    report.begin({ epochs: 3, steps: 10, unit: 'images' });
    report.step({ epoch: 0, step: 1, samples: 10, loss: 1, accuracy: 0.5 });
    report.epoch(row);
    report.end();
    expect(lines).toEqual([`${epochLine(row, 3)}\n`]);
    expect(lineReport(output)).toBeDefined();
  });

  test('a bar with loss, accuracy, speed and time left on a terminal, gone when the epoch is done', async () => {
    const { stream, text } = terminal();
    const report = barReport(stream);
    report.begin({ epochs: 3, steps: 2, unit: 'images' });
    report.step({ epoch: 0, step: 1, samples: 10, loss: 0.5, accuracy: 0.25 });
    await setTimeout(150); // the bar draws ten times a second
    report.step({ epoch: 0, step: 2, samples: 20, loss: 0.25, accuracy: 0.5 });
    await setTimeout(150);
    report.epoch(row);
    report.end();
    await setTimeout(10);
    expect(text()).toMatch(/epoch 1\/3 .* 1\/2 {2}loss 0\.5000 {2}accuracy 25\.00 %/);
    expect(text()).toMatch(/2\/2 {2}loss 0\.2500 {2}accuracy 50\.00 % {2}\d+ images\/s {2}0 s left/);
    expect(text().endsWith(`${epochLine(row, 3)}\n`)).toBe(true);
  });

  test('end leaves no bar running after a failure', () => {
    const { stream } = terminal();
    const report = reportTo(stream);
    report.begin({ epochs: 1, steps: 2, unit: 'images' });
    report.step({ epoch: 0, step: 1, samples: 10, loss: Number.NaN, accuracy: undefined });
    report.end(); // a bar left over would keep the process, and so this test file, alive
    report.end();
  });
});

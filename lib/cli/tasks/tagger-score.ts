// How good a tagger is on sentences: measured, and told in a line, as tables or as JSON.
import { DataLoader, type SentenceBatch, type SentenceData } from '../../data/index.ts';
import type { Tagger, Tagging } from '../../models/index.ts';
import { evaluate, type Share, type SpanCounts, TaggingScore } from '../../training/index.ts';
import { count, percent } from '../options.ts';

/** Mistakes that are listed. */
const MISTAKES = 12;

/** Tags sentences and compares with the tags they have. */
export async function scoreOf(model: Tagger, data: SentenceData, signal: AbortSignal): Promise<TaggingScore> {
  const score = new TaggingScore(data.encoder);
  await evaluate<SentenceBatch, readonly Tagging[], SentenceBatch>(
    model,
    new DataLoader(data, { batchSize: 64, lengths: data.lengths }),
    { objective: (batch) => model.measure(batch), metrics: [score], signal },
  );
  return score;
}

/** `accuracy 95.01 %, of unknown words 80.12 %` and, where there are such, F1 and intents. */
export function scoreInLine({ words, unknown, spans, intents }: TaggingScore): string {
  const parts = [`accuracy ${percent(words.share)}`];
  if (unknown.all > 0) parts.push(`of unknown words ${percent(unknown.share)}`);
  if (spans) parts.push(`F1 ${percent(spans.total.f1)}`);
  if (intents.all > 0) parts.push(`intents ${percent(intents.share)}`);
  return parts.join(', ');
}

export function scoreAsText(score: TaggingScore, source: string, sentences: number): string {
  const { words, unknown, intents, spans } = score;
  const lines = [
    `${count(sentences)} sentences, ${count(words.all)} words (${source})`,
    `accuracy   ${shown(words)}`,
    `  known    ${shown({ hits: words.hits - unknown.hits, all: words.all - unknown.all })}`,
    `  unknown  ${shown(unknown)}`,
    `sentences  ${shown(score.sentences)} all right`,
    ...(intents.all > 0 ? [`intents    ${shown(intents)}`] : []),
  ];
  if (spans) lines.push('', ...table(['span', 'precision', 'recall', 'F1', 'number'], spanRows(score)));
  const mistakes = score.mistakes(MISTAKES).map(({ actual, predicted, count: n }) => [actual, predicted, count(n)]);
  if (mistakes.length > 0) lines.push('', ...table(['actual', 'predicted', 'times'], mistakes));
  return `${lines.join('\n')}\n`;
}

export function scoreAsJson(score: TaggingScore, sentences: number): string {
  const { words, unknown, intents, spans } = score;
  const known = { hits: words.hits - unknown.hits, all: words.all - unknown.all };
  const value = {
    sentences,
    words: words.all,
    accuracy: words.share,
    knownWords: { words: known.all, accuracy: ratio(known) },
    unknownWords: { words: unknown.all, accuracy: ratio(unknown) },
    sentenceAccuracy: score.sentences.share,
    ...(intents.all > 0 && { intentAccuracy: intents.share }),
    ...(spans && {
      spans: {
        ...measures(spans.total),
        types: Object.fromEntries([...spans.types].map(([type, own]) => [type, measures(own)])),
      },
    }),
    confusion: Object.fromEntries([...score.confusion].map(([actual, row]) => [actual, Object.fromEntries(row)])),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

type Hits = Pick<Share, 'hits' | 'all'>;

/** Null where there are none, because JSON has no NaN. */
const ratio = ({ hits, all }: Hits): number | null => (all === 0 ? null : hits / all);

const shown = ({ hits, all }: Hits): string => (all === 0 ? 'none' : `${percent(hits / all)} of ${count(all)}`);

const measures = ({ precision, recall, f1, actual }: SpanCounts) => ({ precision, recall, f1, number: actual });

function spanRows({ spans }: TaggingScore): string[][] {
  const row = (name: string, { precision, recall, f1, actual }: SpanCounts) => [
    name,
    percent(precision),
    percent(recall),
    percent(f1),
    count(actual),
  ];
  const types = [...(spans?.types ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return [...(spans ? [row('all', spans.total)] : []), ...types.map(([type, own]) => row(type, own))];
}

/** Rows with their first column to the left and the others to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

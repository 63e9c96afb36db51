// The results as a picture: for each family a strip of dots, a dot a line; on the left the ratio to the best rival, on the
// right the share of the machine's limit.
import { groupBy } from './group.ts';
import type { Line } from './summary.ts';

const width = 900;
const strip = 34;
const top = 66;
const left = 120;

interface Panel {
  readonly x: number;
  readonly width: number;
  readonly title: string;
  readonly ticks: readonly number[];
  readonly mark: number;
  label(tick: number): string;
  /** From 0 at the left to 1 at the right. */
  place(value: number): number;
  value(line: Line): number | undefined;
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

const panels: readonly Panel[] = [
  {
    x: left,
    width: 420,
    title: 'time of the best rival / time of fovea',
    ticks: [0.25, 0.5, 1, 2, 4, 8],
    mark: 1,
    label: (tick) => String(tick),
    place: (value) => clamp(Math.log2(value / 0.25) / 5),
    value: (line) => line.ratio,
  },
  {
    x: left + 420 + 95,
    width: 240,
    title: 'share of peak or bandwidth',
    ticks: [0, 0.5, 1, 1.5, 2],
    mark: 1,
    label: (tick) => `${100 * tick} %`,
    place: (value) => clamp(value / 2),
    value: (line) => line.share,
  },
];

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${x}" y="${y}" ${more}>${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;

/** A dot, spread over the strip's height by a hash of its place in the family, so that equal values stay visible. */
function dot(panel: Panel, line: Line, index: number, y: number): string {
  const value = panel.value(line);
  if (value === undefined) return '';
  const x = panel.x + panel.place(value) * panel.width;
  const spread = ((index * 0.618) % 1) - 0.5;
  const single = line.threads === 1;
  const style = single ? 'fill="#1f6fb2" fill-opacity="0.75"' : 'fill="#fff" fill-opacity="0.3" stroke="#c4551a"';
  const about = `${line.row.name}, threads ${line.threads}: ${value.toFixed(2)}`;
  const shape = `<circle cx="${x.toFixed(1)}" cy="${(y + 0.62 * strip * spread).toFixed(1)}" r="3" ${style}>`;
  return `${shape}<title>${about.replaceAll('>', '&gt;')}</title></circle>`;
}

function axis(panel: Panel, bottom: number): string {
  return [
    text(panel.x, top - 30, panel.title, 'font-weight="bold"'),
    ...panel.ticks.map((tick) => {
      const x = (panel.x + panel.place(tick) * panel.width).toFixed(1);
      const colour = tick === panel.mark ? '#444' : '#ddd';
      return (
        `<line x1="${x}" x2="${x}" y1="${top - 6}" y2="${bottom}" stroke="${colour}"/>` +
        text(Number(x), top - 12, panel.label(tick), 'text-anchor="middle" fill="#555"')
      );
    }),
  ].join('\n');
}

/** How many of a family's lines are at least level with the best rival. */
function count(lines: readonly Line[]): string {
  const rated = lines.filter((line) => line.ratio !== undefined);
  return rated.length === 0 ? '' : `${rated.filter((line) => line.ratio! >= 1).length} of ${rated.length}`;
}

/** The picture as SVG. */
export function chart(lines: readonly Line[]): string {
  const families = [...groupBy(lines, (line) => line.row.family)];
  const bottom = top + families.length * strip;
  const strips = families.map(([name, group], i) => {
    const y = top + (i + 0.5) * strip;
    const band = `<rect x="${left}" y="${y - strip / 2}" width="${width - left - 20}" height="${strip}" fill="#f6f6f4"/>`;
    return [
      i % 2 === 0 ? band : '',
      text(left - 10, y + 4, name, 'text-anchor="end"'),
      text(left + 440, y + 4, count(group), 'fill="#555"'),
    ].join('');
  });
  const dots = families.map(([, group], i) =>
    panels.map((panel) => group.map((line, j) => dot(panel, line, j, top + (i + 0.5) * strip)).join('')).join('\n'),
  );
  const threads = [...new Set(lines.map((line) => line.threads))].sort((a, b) => a - b);
  const legend = threads
    .map((it, i) => {
      const style = it === 1 ? 'fill="#1f6fb2"' : 'fill="#fff" stroke="#c4551a"';
      const x = left + 110 * i;
      return `<circle cx="${x + 4}" cy="14" r="4" ${style}/>${text(x + 14, 18, `${it} thread${it === 1 ? '' : 's'}`)}`;
    })
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 16}" font-family="sans-serif" font-size="12">
<title>fovea beside its rivals</title>
<rect width="100%" height="100%" fill="#fff"/>
${legend}
${text(left + 440, top - 12, 'level', 'fill="#555"')}
${strips.join('\n')}
${panels.map((panel) => axis(panel, bottom)).join('\n')}
${dots.join('\n')}
</svg>
`;
}

// A picture of numbers over time, as SVG: lines on one pair of axes, with names.
const [width, height] = [900, 380];
const plot = { left: 62, right: width - 16, top: 44, bottom: height - 36 };

export interface ChartLine {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  /** Place of the first value on the axis of labels. */
  readonly from: number;
  readonly values: ArrayLike<number>;
}

export interface Chart {
  readonly title: string;
  /** Of the places from 0 on. */
  readonly labels: readonly string[];
  readonly lines: readonly ChartLine[];
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const text = (x: number, y: number, content: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;

/** Round numbers from below `low` to above `high`, about five of them. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low || Math.abs(high) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The chart as the text of an SVG file. */
export function lineChart({ title, labels, lines }: Chart): string {
  const all = lines.flatMap(({ values }) => Array.from(values));
  const ticks = ticksOf(Math.min(...all), Math.max(...all));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const x = (place: number) => plot.left + (place / Math.max(1, labels.length - 1)) * (plot.right - plot.left);
  const y = (value: number) => plot.bottom - ((value - low) / (high - low)) * (plot.bottom - plot.top);
  const every = Math.max(1, Math.ceil(labels.length / 9));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(plot.left, 18, title, 'font-size="14" font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      `<path d="M${plot.left} ${y(tick).toFixed(1)}H${plot.right}" stroke="#ddd"/>`,
      text(plot.left - 6, y(tick) + 4, String(tick), 'text-anchor="end" fill="#555"'),
    ]),
    ...labels.flatMap((label, place) =>
      place % every === 0 ? [text(x(place), plot.bottom + 18, label, 'text-anchor="middle" fill="#555"')] : [],
    ),
    ...lines.flatMap(({ name, colour, dashed, from, values }, index) => {
      const points = Array.from(values, (value, i) => `${x(from + i).toFixed(1)} ${y(value).toFixed(1)}`);
      const style = `fill="none" stroke="${colour}" stroke-width="1.8"${dashed ? ' stroke-dasharray="6 4"' : ''}`;
      const at = plot.left + 215 * index;
      return [
        `<path d="M${points.join('L')}" ${style} stroke-linejoin="round"/>`,
        `<path d="M${at} 32h24" ${style}/>`,
        text(at + 30, 36, name),
      ];
    }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

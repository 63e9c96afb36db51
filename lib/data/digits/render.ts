// Draws strokes with a round pen into a grey image: anti-aliased by the distance of each pixel to the stroke.
import type { Random } from '../random.ts';
import type { Stroke } from './stroke.ts';

/** Centre line of the ink: x, y and pen radius per vertex; a vertex with `move` starts a new line. */
export interface Ink {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly radius: Float64Array;
  readonly move: Uint8Array;
  count: number;
}

const capacity = 1024;

/** An empty sheet of ink that `flatten` fills again and again. */
export const newInk = (): Ink => ({
  x: new Float64Array(capacity),
  y: new Float64Array(capacity),
  radius: new Float64Array(capacity),
  move: new Uint8Array(capacity),
  count: 0,
});

const steps = 6;

/** Splines through the points (Catmull and Rom 1974), broken at corners, as short lines. */
export function flatten(strokes: readonly Stroke[], ink: Ink): void {
  ink.count = 0;
  for (const stroke of strokes) {
    add(ink, stroke[0]?.[0] ?? 0, stroke[0]?.[1] ?? 0, 1);
    for (let i = 0; i + 1 < stroke.length; i++) {
      const p1 = stroke[i] ?? [0, 0];
      const p2 = stroke[i + 1] ?? p1;
      const p0 = (p1[2] ? undefined : stroke[i - 1]) ?? p1;
      const p3 = (p2[2] ? undefined : stroke[i + 2]) ?? p2;
      for (let step = 1; step <= steps; step++) {
        const t = step / steps;
        add(ink, spline(p0[0], p1[0], p2[0], p3[0], t), spline(p0[1], p1[1], p2[1], p3[1], t), 0);
      }
    }
  }
}

function add(ink: Ink, x: number, y: number, move: number): void {
  const i = ink.count;
  if (i === capacity) throw new RangeError('a digit has too many points');
  ink.x[i] = x;
  ink.y[i] = y;
  ink.move[i] = move;
  ink.count = i + 1;
}

const spline = (a: number, b: number, c: number, d: number, t: number): number =>
  b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));

/** Sets the pen radius along the ink: `radius` pixels, slowly varied by up to `variation` of it. */
export function press(ink: Ink, radius: number, variation: number, random: Random): void {
  let phase = random.uniform(0, 6.3);
  let speed = random.uniform(0.05, 0.25);
  for (let i = 0; i < ink.count; i++) {
    if (ink.move[i]) {
      phase = random.uniform(0, 6.3);
      speed = random.uniform(0.05, 0.25);
    }
    ink.radius[i] = radius * (1 + variation * Math.sin(phase + speed * i));
  }
}

/**
 * Adds the ink to `image` [size, size]: 1 well inside the line, 0 outside, and a slope of `softness` pixels at its edge.
 * Where lines overlap the darker counts.
 */
export function draw(ink: Ink, image: Float32Array, offset: number, size: number, softness: number): void {
  for (let i = 0; i < ink.count; i++) {
    const from = ink.move[i] ? i : i - 1;
    if (ink.move[i] && i + 1 < ink.count && !ink.move[i + 1]) continue;
    drawSegment(ink, from, i, image, offset, size, softness);
  }
}

function drawSegment(
  ink: Ink,
  from: number,
  to: number,
  image: Float32Array,
  offset: number,
  size: number,
  softness: number,
): void {
  const ax = ink.x[from] ?? 0;
  const ay = ink.y[from] ?? 0;
  const bx = ink.x[to] ?? 0;
  const by = ink.y[to] ?? 0;
  const radius = ink.radius[to] ?? 0;
  const reach = radius + softness;
  const dx = bx - ax;
  const dy = by - ay;
  const scale = 1 / Math.max(dx * dx + dy * dy, 1e-12);
  const left = Math.max(0, Math.ceil(Math.min(ax, bx) - reach));
  const right = Math.min(size - 1, Math.floor(Math.max(ax, bx) + reach));
  const top = Math.max(0, Math.ceil(Math.min(ay, by) - reach));
  const bottom = Math.min(size - 1, Math.floor(Math.max(ay, by) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) * scale));
      const nearX = x - ax - along * dx;
      const nearY = y - ay - along * dy;
      const level = (radius - Math.sqrt(nearX * nearX + nearY * nearY)) / softness + 0.5;
      const at = offset + y * size + x;
      if (level > (image[at] ?? 0)) image[at] = Math.min(level, 1);
    }
  }
}

// What a written digit is made of: points the pen passes.

/** A place the pen passes: x to the right, y down, the height of a digit is 1. At a corner the curve breaks. */
export type Point = readonly [x: number, y: number, corner?: 'corner'];

/** The points of one movement of the pen. */
export type Stroke = readonly Point[];

export interface Writing {
  /** How often it is used, beside the other ways to write this digit. */
  readonly weight: number;
  readonly draw: (u: (low: number, high: number) => number) => readonly Stroke[];
}

/** Points on an ellipse; degrees, 0 is right, 90 is down. `drift` moves the radius along the way, as a spiral does. */
export function arc(x: number, y: number, rx: number, ry: number, from: number, to: number, drift = 0): Point[] {
  const steps = Math.max(2, Math.round(Math.abs(to - from) / 40));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    const grow = 1 + (drift * i) / steps;
    return [x + rx * grow * Math.cos(angle), y + ry * grow * Math.sin(angle)];
  });
}

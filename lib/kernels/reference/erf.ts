// The error function to double precision, by W. J. Cody, "Rational Chebyshev approximations for the error function",
// Mathematics of Computation 23 (1969); the coefficients are those of his CALERF in SPECFUN.

const a = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315];
const b = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const c = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
];
const d = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
];
const p = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
];
const q = [2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918];
const inverseSqrtPi = 0.5641895835477563;

/** 1 - erf(x), without cancellation for large x. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) {
    const z = y * y;
    let above = a[4] * z;
    let below = z;
    for (let i = 0; i < 3; i++) {
      above = (above + a[i]) * z;
      below = (below + b[i]) * z;
    }
    return 1 - (x * (above + a[3])) / (below + b[3]);
  }
  let tail: number;
  if (y <= 4) {
    let above = c[8] * y;
    let below = y;
    for (let i = 0; i < 7; i++) {
      above = (above + c[i]) * y;
      below = (below + d[i]) * y;
    }
    tail = (above + c[7]) / (below + d[7]);
  } else {
    const z = 1 / (y * y);
    let above = p[5] * z;
    let below = z;
    for (let i = 0; i < 4; i++) {
      above = (above + p[i]) * z;
      below = (below + q[i]) * z;
    }
    tail = (inverseSqrtPi - (z * (above + p[4])) / (below + q[4])) / y;
  }
  // exp(-y²) in two factors, since y² rounded would lose digits of the result.
  const head = Math.min(Math.trunc(y * 16) / 16, 30);
  tail *= y > 30 ? 0 : Math.exp(-head * head) * Math.exp(-(y - head) * (y + head));
  return x < 0 ? 2 - tail : tail;
}

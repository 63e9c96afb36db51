// How people write 5 to 9: several ways for each digit, with free proportions. `u` is a uniform random number.
import { arc, type Writing } from './stroke.ts';

export const five: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const left = u(0.02, 0.14);
      const bowl = u(0.36, 0.5);
      const right = u(0.42, 0.62);
      return [
        [
          [u(0.45, 0.8), u(-0.04, 0.06)],
          [left + u(0, 0.08), u(0, 0.06), 'corner'],
          [left - u(0, 0.08), bowl, 'corner'],
          [right * 0.5, bowl - u(0.02, 0.1)],
          [right, u(0.62, 0.74)],
          [right * u(0.55, 0.75), u(0.9, 0.98)],
          [right * 0.25, 1],
          [u(-0.18, 0.04), u(0.7, 0.98)],
        ],
      ];
    },
  },
  {
    weight: 0.5,
    draw: (u) => {
      const left = u(0.06, 0.25);
      const right = u(0.4, 0.58);
      const waist = u(0.36, 0.5);
      return [
        [
          [left, u(0, 0.1)],
          [left - u(0.04, 0.14), waist - 0.08],
          [left + u(0, 0.06), waist, 'corner'],
          [right, u(0.55, 0.7)],
          [right * u(0.6, 0.8), u(0.85, 0.95)],
          [right * 0.3, 1],
          [u(-0.14, 0.02), u(0.84, 0.98)],
        ],
        [
          [left, u(0, 0.08)],
          [u(0.5, 0.85), u(-0.08, 0.04)],
        ],
      ];
    },
  },
  {
    weight: 0.3,
    draw: (u) => {
      const right = u(0.36, 0.52);
      return [
        [
          [u(0.5, 0.75), u(-0.02, 0.06)],
          [u(0.25, 0.35), u(0, 0.06)],
          [u(0.04, 0.12), u(0.16, 0.24)],
          [u(0.14, 0.22), u(0.36, 0.44)],
          [right, u(0.54, 0.66)],
          [right * u(0.8, 0.95), u(0.82, 0.9)],
          [right * 0.4, 1],
          [u(-0.1, 0.04), u(0.84, 0.96)],
        ],
      ];
    },
  },
];

export const six: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const rx = u(0.18, 0.38);
      const ry = u(0.15, 0.3);
      const y = 1 - ry;
      return [
        [
          [rx + u(-0.04, 0.45), 0],
          [rx * u(0.45, 0.8), u(0.22, 0.34)],
          [u(-0.02, 0.05), y - u(0.1, 0.2)],
          ...arc(rx, y, rx, ry, 165, -170 + u(-40, 70), u(-0.2, 0.05)),
        ],
      ];
    },
  },
  {
    weight: 0.4,
    draw: (u) => {
      const rx = u(0.14, 0.24);
      const ry = u(0.12, 0.2);
      const y = 1 - ry;
      return [
        [
          [u(-0.02, 0.12), 0],
          [u(-0.04, 0.02), u(0.3, 0.5)],
          ...arc(rx, y, rx, ry, 170, -150 + u(-40, 40), u(-0.2, 0.05)),
        ],
      ];
    },
  },
];

export const seven: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const right = u(0.45, 0.66);
      const foot = u(0.12, 0.4);
      return [
        [
          [u(-0.04, 0.06), u(0, 0.16)],
          [right * 0.5, u(0, 0.1)],
          [right, u(0, 0.1), 'corner'],
          [foot + (right - foot) * u(0.3, 0.6), u(0.4, 0.55)],
          [foot, 1],
        ],
      ];
    },
  },
  {
    weight: 0.4,
    draw: (u) => {
      const right = u(0.45, 0.66);
      return [
        [
          [u(-0.02, 0.06), u(0.14, 0.3)],
          [u(-0.02, 0.06), u(0, 0.08), 'corner'],
          [right, u(0, 0.08), 'corner'],
          [right * u(0.7, 0.9), u(0.4, 0.5)],
          [right * u(0.4, 0.9), 1],
        ],
      ];
    },
  },
  {
    weight: 0.35,
    draw: (u) => {
      const right = u(0.42, 0.6);
      return [
        [
          [u(-0.04, 0.04), u(0.04, 0.2)],
          [u(0.12, 0.22), u(0, 0.06)],
          [right * 0.75, u(0, 0.08)],
          [right, u(0.08, 0.18)],
          [right * u(0.7, 0.95), 0.5],
          [right * u(0.35, 0.85), 1],
        ],
      ];
    },
  },
  {
    weight: 0.3,
    draw: (u) => {
      const right = u(0.48, 0.66);
      const foot = u(0.15, 0.35);
      const bar = u(0.42, 0.58);
      return [
        [
          [u(-0.04, 0.06), u(0, 0.14)],
          [right, u(0, 0.08), 'corner'],
          [(foot + right) / 2 + u(-0.06, 0.04), bar],
          [foot, 1],
        ],
        [
          [u(0.05, 0.18), bar + u(-0.02, 0.06)],
          [u(0.52, 0.72), bar + u(-0.06, 0.02)],
        ],
      ];
    },
  },
];

export const eight: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const top = u(0.16, 0.27);
      const low = u(0.18, 0.3);
      const waist = u(0.42, 0.52);
      const x = 0.3;
      return [
        [
          [x + top, u(0.1, 0.2)],
          [x + u(-0.04, 0.06), 0],
          [x - top, u(0.12, 0.22)],
          [x + u(-0.04, 0.04), waist],
          [x + low, u(0.68, 0.8)],
          [x + u(-0.05, 0.05), 1],
          [x - low, u(0.7, 0.82)],
          [x + u(-0.02, 0.06), waist + u(-0.03, 0.05)],
          [x + top * u(0.85, 1.1), u(0.16, 0.26)],
          [x + top * u(0.5, 1), u(0.02, 0.12)],
        ],
      ];
    },
  },
  {
    weight: 0.7,
    draw: (u) => {
      const top = u(0.14, 0.34);
      const low = u(0.06, 0.3);
      const waist = u(0.36, 0.7);
      const x = 0.3;
      return [
        [
          [x + top + u(-0.04, 0.14), u(0, 0.22)],
          [x + u(-0.06, 0.08), u(0, 0.05)],
          [x - top, u(0.1, 0.24)],
          [x + u(-0.06, 0.04), waist - 0.04],
          [x + low, (1 + waist) / 2 + u(-0.05, 0.06)],
          [x + u(-0.08, 0.04), 1],
          [x - low, (1 + waist) / 2 + u(-0.04, 0.06)],
          [x + u(-0.04, 0.08), waist + u(-0.04, 0.06)],
          [x + top + u(-0.1, 0.14), u(0, 0.26)],
        ],
      ];
    },
  },
  {
    weight: 0.35,
    draw: (u) => {
      const waist = u(0.36, 0.58);
      const start = u(-120, 60);
      return [
        arc(0.3 + u(-0.05, 0.08), waist / 2, u(0.15, 0.28), waist / 2, start, start - 360),
        arc(0.3, (1 + waist) / 2, u(0.18, 0.32), (1 - waist) / 2, -90, -450),
      ];
    },
  },
];

export const nine: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const rx = u(0.17, 0.36);
      const ry = u(0.15, 0.36);
      const x = 0.3;
      return [
        [
          ...arc(x, ry, rx, ry, u(-70, 0), u(-360, -320), u(-0.1, 0.1)),
          [x + rx + u(-0.02, 0.06), u(0.06, 0.2), 'corner'],
          [x + rx + u(-0.06, 0.04), u(0.55, 0.65)],
          [x + rx + u(-0.2, 0.04), 1],
        ],
      ];
    },
  },
  {
    weight: 0.5,
    draw: (u) => {
      const rx = u(0.17, 0.34);
      const ry = u(0.15, 0.32);
      const x = 0.3;
      return [
        [
          ...arc(x, ry, rx, ry, u(-40, 10), -340, u(-0.05, 0.08)),
          [x + rx + u(-0.03, 0.03), u(0.4, 0.55)],
          [x + rx * u(0.4, 0.9), u(0.8, 0.9)],
          [x + u(-0.35, 0.05), u(0.94, 1)],
        ],
      ];
    },
  },
  {
    weight: 0.4,
    draw: (u) => {
      const rx = u(0.17, 0.27);
      const ry = u(0.15, 0.24);
      const x = 0.3;
      return [
        [
          ...arc(x, ry, rx, ry, u(-60, -10), -330, u(-0.1, 0.15)),
          [x + rx * u(0.9, 1.15), ry * u(0.6, 1)],
          [x + rx * u(0.7, 1.1), 0.55],
          [x + rx * u(0.1, 1), 1],
        ],
      ];
    },
  },
  {
    weight: 0.4,
    draw: (u) => {
      const right = u(0.3, 0.5);
      const low = u(0.4, 0.6);
      return [
        [
          [right - u(0, 0.1), u(0, 0.12)],
          [right * u(0.3, 0.6), u(0.04, 0.14)],
          [u(0, 0.08), low - u(0.06, 0.16)],
          [right * u(0.3, 0.5), low],
          [right, u(0.05, 0.25), 'corner'],
          [right - u(0, 0.08), 0.6],
          [right - u(0, 0.2), 1],
        ],
      ];
    },
  },
];

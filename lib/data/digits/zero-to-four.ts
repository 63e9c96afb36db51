// How people write 0 to 4: several ways for each digit, with free proportions. `u` is a uniform random number.
import { arc, type Writing } from './stroke.ts';

export const zero: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const start = u(-130, -50);
      return [arc(0.33, 0.5, u(0.2, 0.42), 0.5, start, start - 360 + u(-25, 12), u(-0.12, 0.08))];
    },
  },
  {
    weight: 0.25,
    draw: (u) => {
      const start = u(-130, -20);
      return [arc(0.33, 0.5, u(0.25, 0.45), 0.5, start, start + 360 + u(-15, 25), u(-0.12, 0.08))];
    },
  },
];

export const one: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => [
      [
        [u(-0.02, 0.02), 0],
        [u(-0.03, 0.03), 0.5],
        [0, 1],
      ],
    ],
  },
  {
    weight: 0.12,
    draw: (u) => [
      [
        [u(-0.3, -0.12), u(0.12, 0.28)],
        [0, 0, 'corner'],
        [u(-0.02, 0.02), 1],
      ],
    ],
  },
  {
    weight: 0.06,
    draw: (u) => [
      [
        [u(-0.3, -0.12), u(0.1, 0.28)],
        [0, 0, 'corner'],
        [u(-0.02, 0.02), 1],
      ],
      [
        [u(-0.35, -0.2), 1],
        [u(0.2, 0.35), u(0.97, 1.02)],
      ],
    ],
  },
];

export const two: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const right = u(0.42, 0.62);
      return [
        [
          [u(-0.02, 0.12), u(0.12, 0.28)],
          [right * 0.4, u(0, 0.06)],
          [right, u(0.14, 0.26)],
          [right * u(0.75, 0.95), u(0.42, 0.56)],
          [right * 0.45, u(0.7, 0.8)],
          [u(-0.08, 0.06), u(0.92, 1), 'corner'],
          [u(0.25, 0.4), u(0.9, 1)],
          [u(0.55, 0.85), u(0.88, 1.02)],
        ],
      ];
    },
  },
  {
    weight: 0.8,
    draw: (u) => {
      const right = u(0.42, 0.6);
      const low = u(0.88, 1);
      return [
        [
          [u(-0.02, 0.12), u(0.1, 0.28)],
          [right * 0.45, 0],
          [right, u(0.14, 0.26)],
          [right * u(0.75, 0.95), u(0.45, 0.58)],
          [right * u(0.4, 0.55), u(0.72, 0.84)],
          [u(0.05, 0.15), low],
          [u(-0.16, 0), low - u(0.05, 0.15)],
          [u(0, 0.12), low - u(0.12, 0.34)],
          [u(0.28, 0.45), low - u(0.02, 0.14)],
          [u(0.5, 1), low + u(-0.06, 0.08)],
        ],
      ];
    },
  },
  {
    weight: 0.45,
    draw: (u) => {
      const right = u(0.42, 0.64);
      const rise = u(0.42, 0.62);
      return [
        [
          [u(-0.05, 0.15), u(0.1, 0.32)],
          [right * u(0.35, 0.55), 0],
          [right, u(0.2, 0.36)],
          [right * u(0.85, 1), u(0.55, 0.72)],
          [right * u(0.4, 0.6), u(0.86, 0.98)],
          [u(-0.08, 0.1), u(0.9, 1)],
          [u(-0.12, 0.02), u(0.72, 0.86)],
          [right * u(0.3, 0.5), rise],
          [right * u(0.85, 1.05), u(0.76, 0.92)],
          [right + u(0.08, 0.35), u(0.84, 1.02)],
        ],
      ];
    },
  },
];

export const three: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const top = u(0.4, 0.58);
      const bottom = u(0.45, 0.65);
      const waist = u(0.4, 0.52);
      return [
        [
          [u(-0.02, 0.12), u(0.04, 0.2)],
          [top * 0.5, 0],
          [top, u(0.12, 0.2)],
          [top * u(0.7, 0.9), waist - u(0.08, 0.14)],
          [u(0.15, 0.3), waist, 'corner'],
          [bottom * u(0.75, 0.9), waist + u(0.06, 0.14)],
          [bottom, u(0.7, 0.8)],
          [bottom * 0.55, u(0.94, 1)],
          [u(-0.08, 0.08), u(0.82, 0.98)],
        ],
      ];
    },
  },
  {
    weight: 0.4,
    draw: (u) => {
      const waist = u(0.36, 0.52);
      const bottom = u(0.4, 0.65);
      const loop = u(0, 0.06);
      return [
        [
          [u(-0.1, 0.12), u(0.02, 0.24)],
          [0.22, 0],
          [u(0.38, 0.55), u(0.1, 0.2)],
          [u(0.3, 0.42), waist - 0.05],
          [u(0.14, 0.24), waist + loop],
          [u(0.12, 0.2), waist - loop],
          [bottom * 0.8, waist + u(0.05, 0.14)],
          [bottom, u(0.7, 0.8)],
          [bottom * 0.5, 1],
          [u(-0.2, 0.05), u(0.76, 0.98)],
        ],
      ];
    },
  },
  {
    weight: 0.25,
    draw: (u) => {
      const bottom = u(0.45, 0.65);
      const waist = u(0.4, 0.5);
      return [
        [
          [u(-0.02, 0.1), u(0, 0.06)],
          [u(0.4, 0.6), u(0, 0.05), 'corner'],
          [u(0.15, 0.3), waist, 'corner'],
          [bottom * u(0.75, 0.9), waist + u(0.06, 0.14)],
          [bottom, u(0.7, 0.8)],
          [bottom * 0.55, u(0.94, 1)],
          [u(-0.08, 0.08), u(0.82, 0.98)],
        ],
      ];
    },
  },
];

export const four: readonly Writing[] = [
  {
    weight: 1,
    draw: (u) => {
      const bar = u(0.42, 0.65);
      const right = u(0.42, 0.65);
      return [
        [
          [u(-0.02, 0.2), u(0, 0.12)],
          [u(-0.04, 0.06), bar - u(0.06, 0.16)],
          [u(0, 0.08), bar, 'corner'],
          [right + u(0.02, 0.2), bar - u(-0.04, 0.1)],
        ],
        [
          [right, u(-0.04, 0.2)],
          [right - u(0, 0.06), 0.6],
          [right - u(0, 0.1), 1],
        ],
      ];
    },
  },
  {
    weight: 0.5,
    draw: (u) => {
      const bar = u(0.42, 0.62);
      const right = u(0.4, 0.6);
      return [
        [
          [u(-0.04, 0.12), u(0, 0.1)],
          [u(-0.06, 0.02), bar - u(0.1, 0.2)],
          [u(0.1, 0.2), bar],
          [right * 0.75, bar - u(0.02, 0.08)],
          [right, u(0.02, 0.16), 'corner'],
          [right - u(-0.03, 0.06), 0.6],
          [right - u(-0.03, 0.12), 1],
        ],
      ];
    },
  },
  {
    weight: 0.35,
    draw: (u) => {
      const bar = u(0.5, 0.7);
      const right = u(0.35, 0.5);
      return [
        [
          [right, 0],
          [u(-0.08, 0.04), bar, 'corner'],
          [right + u(0.1, 0.3), bar + u(-0.06, 0.04)],
        ],
        [
          [right, u(0, 0.06)],
          [right - u(-0.02, 0.08), 1],
        ],
      ];
    },
  },
];

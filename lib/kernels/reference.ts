// The reference backend: every kernel of the list in plain TypeScript.
export const reference = {};

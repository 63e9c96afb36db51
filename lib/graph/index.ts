// Programs: functions recorded once and run in one call.

export { type Compiled, type CompileOptions, compile } from './compile.ts';
export { programsEnabled } from './enabled.ts';
export { Program, type ProgramOptions } from './program.ts';
export { type Form, type Recorded, record } from './record.ts';

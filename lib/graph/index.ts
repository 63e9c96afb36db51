// Programs: functions recorded once and run in one call.
export { type Compiled, type CompileOptions, compile, record } from './compile.ts';
export { programsEnabled } from './enabled.ts';
export { type CallProfile, copyOf, Program, type ProgramOptions } from './program.ts';
export { type Form, type Recorded, recordCalls } from './record.ts';

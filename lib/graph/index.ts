// Programs: functions recorded once and run in one call.
export { type CompileOptions, compile, type Compiled } from './compile.ts';
export { Program } from './program.ts';
export type { Form } from './record.ts';

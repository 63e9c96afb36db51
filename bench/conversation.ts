// A trial's process as the driver sees it: asked line by line, started again where it died.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Side } from './sides.ts';

const longestAnswer = 120_000;

export interface Greeting {
  readonly name: string;
  readonly version: string;
  readonly isa?: string;
}

interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: Interface;
}

export class Conversation {
  readonly side: Side;
  readonly #env: NodeJS.ProcessEnv;
  #running: Running | undefined;
  #errors = '';
  greeting: Greeting | undefined;

  constructor(side: Side, env: Readonly<Record<string, string>>) {
    this.side = side;
    this.#env = { ...process.env, ...env, ...side.env };
  }

  /** The answer to a line, or `{ error }` where the process died or took too long; the next line starts a new one. */
  async ask<A extends object>(line: string): Promise<A | { readonly error: string }> {
    try {
      if (this.#running === undefined) {
        this.#start();
        this.greeting = (await this.#next()) as Greeting;
      }
      this.#running?.process.stdin.write(`${line}\n`);
      return (await this.#next()) as A;
    } catch (error) {
      this.stop();
      const last = this.#errors.trim().split('\n').at(-1) ?? '';
      return { error: [error instanceof Error ? error.message : String(error), last].filter(Boolean).join(': ') };
    }
  }

  stop(): void {
    this.#running?.process.kill('SIGKILL');
    this.#running = undefined;
  }

  #start(): void {
    const child = spawn(this.side.command, this.side.args, { env: this.#env });
    this.#errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    child.stdin.on('error', () => {}); // told by 'close'
    this.#running = { process: child, lines: createInterface({ input: child.stdout }) };
  }

  /** The next line that is JSON: some libraries print words of their own. */
  #next(): Promise<unknown> {
    const { process: child, lines } = this.#running!;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        lines.off('line', read);
        child.off('error', fail);
        child.off('close', closed);
        act();
      };
      const read = (line: string) => {
        if (line.startsWith('{')) settle(() => resolve(JSON.parse(line)));
      };
      const fail = (error: Error) => settle(() => reject(error));
      const closed = (code: number | null, signal: string | null) =>
        settle(() => reject(new Error(`ended with ${signal ?? `status ${code}`}`)));
      const timer = setTimeout(() => fail(new Error('no answer in 2 minutes')), longestAnswer);
      lines.on('line', read);
      child.on('error', fail);
      child.on('close', closed);
    });
  }
}

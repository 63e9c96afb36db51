// A trial's process: asked, answering in JSON, dying and started again.
import { describe, expect, test } from 'vitest';
import { Conversation } from '../../bench/conversation.ts';

/** Greets, prints a word of its own, then answers each line with itself; dies of 'die'. */
const program = `
  console.log(JSON.stringify({ name: 'echo', version: process.env.VERSION }));
  console.log('a library says hello');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'die') {
      process.stderr.write('the reason\\n');
      process.exit(3);
    }
    console.log(JSON.stringify({ line, pid: process.pid }));
  });
`;

const side = { name: 'echo', command: process.execPath, args: ['-e', program], env: {}, takes: () => true };

describe('a conversation', () => {
  test('is one process, until it is stopped', async () => {
    const conversation = new Conversation(side, { VERSION: '7' });
    const first = await conversation.ask<{ line: string; pid: number }>('one');
    const second = await conversation.ask<{ line: string; pid: number }>('two');
    conversation.stop();
    expect(conversation.greeting).toEqual({ name: 'echo', version: '7' });
    expect(second).toEqual({ ...first, line: 'two' });
  });

  test('tells why a process died, and goes on with another', async () => {
    const conversation = new Conversation(side, {});
    expect(await conversation.ask('die')).toEqual({ error: 'ended with status 3: the reason' });
    expect(await conversation.ask('again')).toMatchObject({ line: 'again' });
    conversation.stop();
  });

  test('tells that a program is not there', async () => {
    const absent = new Conversation({ ...side, command: '/nowhere/at-all' }, {});
    expect(await absent.ask('one')).toMatchObject({ error: expect.stringContaining('ENOENT') });
  });
});

// Lines of text that is still coming, such as standard input.
import { DataError } from '../tensor/index.ts';

const NEWLINE = 0x0a;

/**
 * The lines that each piece of a stream completes, without their ends (\n or \r\n), as soon as it is there; a last line may
 * lack its end. Throws DataError, with `source` and line, for bytes that are not UTF-8.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<string[], void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  const decode = (bytes: Uint8Array): string => {
    number++;
    try {
      return decoder.decode(bytes).replace(/\r$/, '');
    } catch {
      throw new DataError(`${source}:${number}: expected text in UTF-8, but got bytes that are not`);
    }
  };
  let begun: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const lines: string[] = [];
    let from = 0;
    try {
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        lines.push(decode(Buffer.concat([...begun, chunk.subarray(from, end)])));
        begun = [];
        from = end + 1;
      }
    } catch (error) {
      yield lines; // what came before is good
      throw error;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (begun.length > 0) yield [decode(Buffer.concat(begun))];
}

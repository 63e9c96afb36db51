// Writes a file whole or not at all: temporary file beside it, fsync, rename. The old file stays until the new one is safe.
import { accessSync, closeSync, constants, openSync, statSync, unlinkSync } from 'node:fs';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '../tensor/errors.ts';

let written = 0;

const temporaryName = (file: string) => join(dirname(file), `.fovea-${process.pid}-${++written}.tmp`);

/** What a person needs of a file system error: `permission denied`, not a code and a call. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or directory',
    ENOTDIR: 'a part of the path is not a directory',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on device',
    ENAMETOOLONG: 'the name is too long',
  };
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}

/**
 * Throws DataError if `file` cannot be written: it is no regular file, it is read-only, or its directory refuses a new
 * file. Tries it for real, and leaves nothing behind.
 */
export function checkWritable(file: string): void {
  const refuse = (got: string): never => {
    throw new DataError(`write: expected ${file} to be a file that can be written, but got: ${got}`);
  };
  try {
    const old = statSync(file, { throwIfNoEntry: false });
    if (old?.isDirectory()) refuse('it is a directory');
    if (old && !old.isFile()) refuse('it is not a regular file');
    if (old) accessSync(file, constants.W_OK);
    const temporary = temporaryName(file);
    closeSync(openSync(temporary, 'wx'));
    unlinkSync(temporary);
  } catch (error) {
    if (error instanceof DataError) throw error;
    refuse(reasonOf(error));
  }
}

/**
 * Writes `bytes` to `file`: after this the file holds all of them, also after a power cut; on any error (throws DataError)
 * it still holds what it held before. The bytes must not change until the promise settles. A symbolic link is followed.
 */
export async function writeAtomic(file: string, bytes: Uint8Array | string): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await realpath(file).catch(() => file);
    const old = await stat(target).catch(() => undefined);
    temporary = temporaryName(target);
    const handle = await open(temporary, 'wx', old?.mode ?? 0o666);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    if (temporary !== undefined) await unlink(temporary).catch(() => {});
    throw new DataError(`write: expected to write ${file}, but got: ${reasonOf(error)}`, { cause: error });
  }
}

/** Makes the rename itself durable, where the platform lets a directory be opened (Windows does not). */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

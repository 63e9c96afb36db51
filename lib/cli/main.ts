#!/usr/bin/env node
// The executable: runs the command line of this process.
import { run } from './program.ts';

// A reader that has seen enough (`fovea info | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });

// ONNX's operator conformance cases, out of the archive they come in.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder } from '../data/folders.ts';
import { type Graph, readModel, readTensor, type Value } from './proto.ts';

export const archive = join(dataFolder, 'onnx-node-a.tar.gz');

export interface ConformanceCase {
  readonly name: string;
  readonly graph: Graph;
  /** In the order of the graph's. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** The cases whose names match; undefined where the archive is not there. */
export function conformanceCases(pattern: RegExp): ConformanceCase[] | undefined {
  if (!existsSync(archive)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'fovea-onnx-'));
  try {
    execFileSync('tar', ['-xzf', archive, '-C', folder]);
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => readCase(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readCase(folder: string, name: string): ConformanceCase {
  const data = join(folder, name, 'test_data_set_0');
  const values = (kind: string) =>
    readdirSync(data)
      .filter((file) => file.startsWith(kind))
      .map((file) => [Number(/\d+/.exec(file)?.[0]), file] as const)
      .sort(([a], [b]) => a - b)
      .map(([, file]) => readTensor(readFileSync(join(data, file))));
  const graph = readModel(readFileSync(join(folder, name, 'model.onnx')));
  return { name, graph, inputs: values('input_'), outputs: values('output_') };
}
